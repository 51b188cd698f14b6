// Which part of a figure takes the keys? The stage, that holds its pictures.
// @ts-check
import { element, takesLetters } from "./element.js";
import { keyAction } from "./state.js";

/** @import { State, Store } from "./state.js" */

/**
 * `own` maps a key to what it does, all others mean what they mean in every viewer.
 * @param {string} summary what the figure shows
 * @param {string} keys what they do, for screen readers
 * @param {Store<State>} store
 * @param {Record<string, () => void>} own
 * @param {Node[]} children
 */
export function createStage(summary, keys, store, own, ...children) {
  const focusable = { tabIndex: 0, role: "application", "data-lm-suppress-shortcuts": "true" };
  const stage = element("div", { className: "stage", ...focusable }, ...children);
  nameStage(stage, summary, keys);
  stage.addEventListener("keydown", (event) => {
    // some keyboards have brackets behind AltGr, which is Ctrl and Alt
    const typed = event.altKey && /^[[\]]$/.test(event.key);
    if (event.metaKey || (!typed && (event.ctrlKey || event.altKey))) return;
    if (takesLetters(event) && event.key !== "Escape") return;
    const mine = Object.hasOwn(own, event.key) ? own[event.key] : null;
    const action = keyAction(event.key);
    const inside = event.target !== stage && event.key !== "Escape" && event.key !== "?";
    if (inside && !mine) return; // a button inside keeps Space and the arrows
    if (mine) mine();
    else if (action) store.dispatch(action);
    else return;
    event.preventDefault();
  });
  return stage;
}

/**
 * What a figure shows.
 * @param {HTMLElement} stage
 * @param {string} summary
 * @param {string} keys
 */
export function nameStage(stage, summary, keys) {
  stage.setAttribute("aria-label", `${summary}. ${keys}`);
  stage.dataset.summary = summary;
}
