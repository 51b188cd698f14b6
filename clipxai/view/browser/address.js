// What does the address of a saved page keep? The view, behind the `#`, so that it can be sent.
// @ts-check
import { element } from "./element.js";

const SHOWN_FOR = 4000; // milliseconds: what became of a click
const [OFFERED, COPIED] = ["link", "copied"];
// a page that may not write to the clipboard has the link above it, a frame has not
const [STANDS, IN_FRAME] = ["it is the page's address", "open the page by itself to copy"];

/**
 * The view that an address holds; null if it holds none.
 * @param {string} hash
 * @returns {unknown}
 */
export function viewIn(hash) {
  try {
    return JSON.parse(decodeURIComponent(hash.slice(1)));
  } catch {
    return null; // no view, or a broken link: the figure begins as it was saved
  }
}

/**
 * An address that holds a view; where nothing was chosen yet, the page's own.
 * @param {string} href of the page
 * @param {unknown} view
 */
export function linkTo(href, view) {
  const [page] = href.split("#");
  return view ? `${page}#${encodeURIComponent(JSON.stringify(view))}` : page;
}

/**
 * Whether others can open an address: not that of a frame which a program filled.
 * @param {string} href
 */
export function isShareable(href) {
  return ["file:", "http:", "https:"].includes(new URL(href).protocol);
}

/** A button that `offerLink` brings to life. */
export function createLinkButton() {
  const title = "copy a link to this page as it is shown";
  const properties = { type: /** @type {const} */ ("button"), className: "save copy-link", title };
  return element("button", { ...properties, "aria-label": "copy link" }, OFFERED);
}

/**
 * Let the figure's link button copy an address; without this it is not seen.
 * @param {HTMLElement} root
 * @param {() => string} link
 * @param {(line: string) => void} speak
 */
export function offerLink(root, link, speak) {
  root.classList.add("linked");
  root.addEventListener("click", async (event) => {
    const button = /** @type {Element} */ (event.target).closest(".copy-link");
    if (!button) return;
    const copied = await (navigator.clipboard?.writeText(link()) ?? Promise.reject()).then(
      () => true,
      () => false,
    );
    const instead = window === window.top ? STANDS : IN_FRAME;
    button.textContent = copied ? COPIED : instead;
    speak(button.textContent);
    setTimeout(() => (button.textContent = OFFERED), SHOWN_FOR);
  });
}
