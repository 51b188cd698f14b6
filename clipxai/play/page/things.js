// What would the cosine lose without a thing, or a word, and which map had promised it?
// @ts-check
import { element } from "../../view/browser/element.js";
import { fill, signed } from "../../view/browser/number.js";

/** @import { Store } from "../../view/browser/state.js" */
/** @import { Worth } from "./facts.js" */
/** @import { Heard, PlayState } from "./types.js" */

const EVEN = 0.0005; // of a cosine: written alike

/**
 * @param {Store<PlayState>} store
 * @param {Record<string, string>} words
 */
export function createThings(store, words) {
  const head = [words.thing, words.without, words.fetched, words.raw_out, words.surgery_out];
  const titles = ["", words.without_help, words.fetched_help, words.out_help, words.out_help];
  const body = element("tbody");
  const table = element(
    "table",
    {},
    element(
      "thead",
      {},
      element("tr", {}, ...head.map((name, n) => element("th", { title: titles[n] }, name))),
    ),
    body,
  );
  const scroll = element("div", { className: "scroll" }, table);
  const said = element("p", { className: "quiet said" });
  const title = element("h3", {}, words.things);
  return {
    node: element("section", { className: "block things" }, title, scroll, said),
    /**
     * @param {PlayState} state
     * @param {Worth[]} worths
     */
    paint(state, worths) {
      const labels = apart(worths.map(({ name }) => name));
      exchange(
        body,
        worths.map((worth, n) => {
          const loss = worth.loss === null ? "…" : signed(worth.loss);
          const seen = (/** @type {number} */ n) => (Number.isFinite(n) ? signed(n) : "–");
          const numbers = [loss, ...[worth.fetched, worth.raw, worth.surgery].map(seen)];
          const name = element("button", { type: "button", className: "save" }, labels[n]);
          name.addEventListener("click", () => store.set({ selected: n }));
          name.setAttribute("aria-pressed", String(state.selected === n));
          const cells = numbers.map((text) => element("td", {}, text));
          return element("tr", {}, element("th", {}, name), ...cells);
        }),
      );
      said.textContent = state.things.length ? sayThings(worths, words) : words.no_things;
    },
  };
}

/**
 * Names told apart: cat, cat (2).
 * @param {string[]} names
 */
function apart(names) {
  return names.map((name, n) => {
    const before = names.slice(0, n).filter((other) => other === name).length;
    return before ? `${name} (${before + 1})` : name;
  });
}

/**
 * Whether the thing that matters most is the one that each map has highest.
 * @param {Worth[]} worths
 * @param {Record<string, string>} words
 */
export function sayThings(worths, words) {
  if (!worths.length) return "";
  if (worths.some(({ loss }) => loss === null)) return words.waiting;
  worths = worths.filter(({ raw }) => Number.isFinite(raw)); // of what others hide there is no map
  if (!worths.length) return words.none_matters;
  const by = (/** @type {(worth: Worth) => number} */ value) =>
    worths.reduce((best, worth) => (value(worth) > value(best) ? worth : best));
  const most = by((worth) => /** @type {number} */ (worth.loss));
  const loss = /** @type {number} */ (most.loss);
  if (loss <= 0) return words.none_matters;
  if (worths.length === 1) return fill(words.one_matters, { name: most.name, loss });
  /** @type {[string, "raw" | "surgery" | "fetched"][]} */
  const maps = [
    [words.raw_map, "raw"],
    [words.surgery_map, "surgery"],
    [words.made_map, "fetched"],
  ];
  const agree = maps.flatMap(([map, at]) => {
    const top = by((worth) => worth[at]);
    if (worths.every((worth) => top[at] - worth[at] < EVEN)) return []; // no thing is highest
    const says = top.name === most.name ? words.map_agrees : words.map_differs;
    return [fill(says, { map, name: top.name })];
  });
  return `${fill(words.matters, { name: most.name, loss })} ${agree.join("; ")}.`;
}

/**
 * The words of the text, each with what the cosine loses without it.
 * @param {Store<PlayState>} store
 * @param {Record<string, string>} words
 */
export function createWords(store, words) {
  const chips = element("div", { className: "chips" });
  const title = element("h3", {}, words.words);
  const hint = element("p", { className: "quiet said" }, words.words_help);
  let shown = "";
  return {
    node: element("section", { className: "block words" }, title, chips, hint),
    /**
     * @param {PlayState} state
     * @param {Heard | null} heard
     */
    paint(state, heard) {
      const found = heard?.maps?.words ?? [];
      const wanted = JSON.stringify([found, state.word]);
      if (wanted === shown) return;
      shown = wanted;
      exchange(
        chips,
        found.map(({ name, drop }, n) => {
          const label = [name, element("small", {}, ` ${signed(drop)}`)];
          const chip = element("button", { type: "button", className: "chip" }, ...label);
          chip.title = fill(words.word_chip, { name, drop });
          chip.setAttribute("aria-pressed", String(state.word === n));
          chip.addEventListener("click", () =>
            store.set({ word: store.state.word === n ? null : n, head: null }),
          );
          return chip;
        }),
      );
    },
  };
}

/**
 * Other children, of whose buttons the one in the place of that which had the focus has it.
 * @param {HTMLElement} node
 * @param {HTMLElement[]} children
 */
function exchange(node, children) {
  const buttons = () => [...node.querySelectorAll("button")];
  const { activeElement } = /** @type {Document | ShadowRoot} */ (node.getRootNode());
  const at = buttons().findIndex((button) => button === activeElement);
  node.replaceChildren(...children);
  buttons()[at]?.focus();
}
