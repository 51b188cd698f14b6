// A guided walk sets the page step by step, says what is seen by then, and can be left anywhere:
// what its reader had before it comes back.
// @ts-check
import { element } from "../../view/browser/element.js";
import { fill } from "../../view/browser/number.js";
import { sentenceFor } from "./facts.js";

/** @import { Store } from "../../view/browser/state.js" */
/** @import { Facts } from "./facts.js" */
/** @import { Before, PlayHeader, PlayState, Walk } from "./types.js" */

/** What a walk sets, and so what is kept from before it. */
export const OWN = /** @type {(keyof Before)[]} */ (
  "things background texts text change redundant silenced head word".split(" ")
);

/**
 * What changes where a walk begins: its first step, with what was there kept; from one walk to
 * another that is still what was there before both.
 * @param {PlayState} state
 * @param {Walk} walk
 * @returns {Partial<PlayState>}
 */
export function entered(state, { name, steps }) {
  const own = Object.fromEntries(OWN.map((option) => [option, state[option]]));
  const before = state.walk === null ? /** @type {Before} */ (own) : state.before;
  return { ...steps[0].set, walk: name, step: 0, selected: null, before };
}

/**
 * What changes where it is left: all as it was before, unless a link led right into it.
 * @param {PlayState} state
 * @returns {Partial<PlayState>}
 */
export function left({ before }) {
  return { ...before, walk: null, step: 0, selected: null, before: null };
}

/**
 * @param {PlayHeader} header
 * @param {Store<PlayState>} store
 */
export function createWalks({ walks, words }, store) {
  const count = element("b");
  const said = element("p", { "aria-live": "polite" });
  const button = (/** @type {string} */ label, /** @type {() => void} */ act) => {
    const made = element("button", { type: "button", className: "save" }, label);
    made.addEventListener("click", act);
    return made;
  };
  const current = () => walks.find(({ name }) => name === store.state.walk);
  const go = (/** @type {number} */ by) => {
    const step = store.state.step + by;
    const set = current()?.steps[step]?.set;
    if (set) store.set({ ...set, step });
  };
  const back = button(words.back, () => go(-1));
  const on = button(words.next, () => go(1));
  const leave = button(words.leave, () => store.set(left(store.state)));
  const buttons = element("div", { className: "row" }, back, on, leave);
  const node = element("div", { className: "walk", hidden: true }, count, said, buttons);
  return {
    node,
    /**
     * @param {PlayState} state
     * @param {Facts} facts
     */
    paint({ step }, facts) {
      const walk = current();
      const here = walk?.steps[step];
      node.hidden = !here;
      if (!walk || !here) return;
      const of = walk.steps.length;
      count.textContent = fill(words.step, { title: walk.title, step: step + 1, of });
      const values = /** @type {Record<string, string | number>} */ (facts);
      const line = fill(sentenceFor(here.cases, facts), values);
      if (line !== said.textContent) said.textContent = line;
      back.setAttribute("aria-disabled", String(step === 0)); // disabled would lose the focus
      on.setAttribute("aria-disabled", String(step === of - 1));
    },
  };
}
