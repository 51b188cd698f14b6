// How does a word of the prose show something in a figure? A link to "#clipxai:layer=6", in any
// text of the page, sets the state of the nearest figure that knows such a thing: of those above
// it, else of those below.
// @ts-check
import { restored } from "./keep.js";

/** @import { Checks } from "./keep.js" */
/** @typedef {Document & {clipxaiLinks?: boolean}} Page  which figures of any kind share */

const [LINK, ASKED] = ["#clipxai:", "clipxai-asked"];

/**
 * What a link asks for: numbers, true, false, null and lists as in JSON, all else words.
 * @param {string} href
 * @returns {Record<string, unknown>}
 */
export function askedBy(href) {
  const parts = [...new URLSearchParams(href.slice(LINK.length))];
  return Object.fromEntries(parts.map(([name, said]) => [name, valueOf(said)]));
}

/** @param {string} said */
function valueOf(said) {
  try {
    return JSON.parse(said);
  } catch {
    return said;
  }
}

/**
 * Let links set a figure's state, all that they ask for or nothing.
 * @template S
 * @param {HTMLElement} el
 * @param {Checks<S>} checks
 * @param {(values: Partial<S>) => void} set
 * @returns {() => void} how to stop
 */
export function takeLinks(el, checks, set) {
  /** @param {Event} event */
  const take = (event) => {
    const asked = /** @type {CustomEvent<Record<string, unknown>>} */ (event).detail;
    const known = restored(asked, checks);
    if (Object.keys(known).length < Object.keys(asked).length) return;
    event.preventDefault();
    set(known);
  };
  el.dataset.clipxaiLinks = "";
  el.addEventListener(ASKED, take);
  const page = /** @type {Page} */ (document);
  if (!page.clipxaiLinks) document.addEventListener("click", follow, true);
  page.clipxaiLinks = true;
  return () => el.removeEventListener(ASKED, take);
}

/** @param {Event} event */
function follow(event) {
  const target = event.target instanceof Element ? event.target : null;
  const link = /** @type {HTMLAnchorElement | null} */ (
    target?.closest(`a[href^="${LINK}"]`) ?? null
  );
  if (!link) return;
  event.preventDefault();
  event.stopPropagation();
  const figures = [...document.querySelectorAll("[data-clipxai-links]")];
  const isAbove = (/** @type {Element} */ figure) =>
    figure.compareDocumentPosition(link) & Node.DOCUMENT_POSITION_FOLLOWING;
  const nearest = [...figures.filter(isAbove).reverse(), ...figures.filter((f) => !isAbove(f))];
  const detail = askedBy(link.getAttribute("href") ?? "");
  const taken = nearest.find(
    (figure) => !figure.dispatchEvent(new CustomEvent(ASKED, { detail, cancelable: true })),
  );
  if (taken) link.removeAttribute("aria-disabled");
  else link.setAttribute("aria-disabled", "true"); // no figure of the page can show it
  taken?.scrollIntoView({ block: "nearest" });
}
