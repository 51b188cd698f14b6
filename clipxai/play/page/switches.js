// Which parts of CLIP Surgery are on? Every switch of `cx.Rewrite`; one that could do nothing
// beside the others cannot be touched, where Python would refuse it.
// @ts-check
import { element } from "../../view/browser/element.js";

/** @import { Store } from "../../view/browser/state.js" */
/** @import { Attention, Rewrite } from "../engine/surgery.js" */
/** @import { Chosen, PlayHeader, PlayState, Redundant } from "./types.js" */

/** @type {Attention[]} */
export const ATTENTIONS = ["vv", "qq", "kk", "qq+kk", "gem", "identity", "qk"];
/** @type {Redundant[]} */
export const REDUNDANT = ["empty", "labels", "nothing"];
const NEAR = 5; // patches: NACLIP's
const SHARP = 8; // CLIP Surgery's for a ResNet

/**
 * Whether a switch could do something.
 * @param {Rewrite} change
 * @param {Redundant} redundant
 */
export function alive({ attention, blocks, dual_path, residual }, redundant) {
  const on = blocks > 0;
  const compares = attention !== "gem" && attention !== "identity";
  return {
    attention: on,
    // beyond the last block, whose attention alone remains
    blocks: residual || !dual_path || blocks <= 1,
    dual_path: on && blocks > 1,
    residual: on,
    ffn: on,
    neighbourhood: on && compares,
    normalize: on && compares,
    iterations: on && attention === "gem",
    class_token: on && redundant === "labels",
  };
}

/**
 * A change with what has become of no use set back.
 * @param {Rewrite} change
 * @returns {Rewrite}
 */
export function settled(change) {
  const next = { ...change };
  if (change.attention !== "gem") next.iterations = 1;
  if (change.attention === "gem" || change.attention === "identity") {
    Object.assign(next, { neighbourhood: null, normalize: null, sharpen: null });
  }
  return next;
}

/**
 * Which method the switches make; "own" if none.
 * @param {Pick<Chosen, "change" | "redundant">} chosen
 * @param {Record<string, Rewrite>} presets
 */
export function methodOf({ change, redundant }, presets) {
  const same = (/** @type {string} */ name) =>
    JSON.stringify(presets[name]) === JSON.stringify(change) &&
    (REDUNDANTS[name] ?? "nothing") === redundant;
  return Object.keys(presets).find(same) ?? "own";
}

/**
 * @param {PlayHeader} header
 * @param {Store<PlayState>} store
 */
export function createSwitches({ words, model }, store) {
  const { presets } = model;
  const turn = (/** @type {Partial<Rewrite>} */ part) =>
    store.set({ change: settled({ ...store.state.change, ...part }) });
  const attention = choice(words.attention, ATTENTIONS, words, (at) =>
    turn({ attention: ATTENTIONS[at] }),
  );
  const redundant = choice(words.subtract, REDUNDANT, words, (at) =>
    store.set({ redundant: REDUNDANT[at] }),
  );
  const named = Object.keys(presets);
  const preset = choice(words.preset, ["", ...named], words, (at) => {
    if (at)
      store.set({
        change: presets[named[at - 1]],
        redundant: REDUNDANTS[named[at - 1]] ?? "nothing",
      });
  });
  const blocks = element("input", { type: "range", min: "0", max: String(model.image.layers) });
  blocks.addEventListener("input", () => turn({ blocks: blocks.valueAsNumber }));
  const count = element("output");
  const depth = element("label", {}, `${words.blocks} `, blocks, count);
  const flags = /** @type {const} */ ({
    dual_path: (/** @type {boolean} */ on) => turn({ dual_path: on }),
    residual: (/** @type {boolean} */ on) => turn({ residual: on }),
    ffn: (/** @type {boolean} */ on) => turn({ ffn: on }),
    neighbourhood: (/** @type {boolean} */ on) => turn({ neighbourhood: on ? NEAR : null }),
    normalize: (/** @type {boolean} */ on) =>
      turn(on ? { normalize: true, sharpen: SHARP } : { normalize: null, sharpen: null }),
    iterations: (/** @type {boolean} */ on) => turn({ iterations: on ? 2 : 1 }),
    class_token: (/** @type {boolean} */ on) =>
      turn({ class_token: on ? "rewritten" : "original" }),
  });
  const boxes = Object.entries(flags).map(([name, flip]) => {
    const box = element("input", { type: "checkbox", onchange: () => flip(box.checked) });
    const label = element("label", { title: words[`${name}_help`] }, box, ` ${words[name]}`);
    return { name: /** @type {keyof typeof flags} */ (name), box, label };
  });
  const reset = element("button", { type: "button", className: "save" }, words.reset);
  reset.addEventListener("click", () =>
    store.set({ change: presets.clip_surgery, redundant: "empty" }),
  );
  const all = [preset.node, attention.node, depth, redundant.node];
  const rail = element(
    "div",
    { className: "rail" },
    ...all,
    ...boxes.map(({ label }) => label),
    reset,
  );
  return {
    node: element(
      "section",
      { className: "block surgery" },
      element("h3", {}, words.surgery),
      rail,
    ),
    /** @param {PlayState} state */
    paint({ change, redundant: taken }) {
      const may = alive(change, taken);
      attention.set(ATTENTIONS.indexOf(change.attention), may.attention);
      redundant.set(REDUNDANT.indexOf(taken), true);
      preset.set(named.indexOf(methodOf({ change, redundant: taken }, presets)) + 1, true);
      blocks.value = String(change.blocks);
      blocks.disabled = !may.blocks;
      count.textContent = ` ${change.blocks}`;
      /** @type {Record<string, boolean>} */
      const on = {
        ...{ dual_path: change.dual_path, residual: change.residual, ffn: change.ffn },
        neighbourhood: change.neighbourhood !== null,
        normalize: change.normalize === true,
        iterations: change.iterations > 1,
        class_token: change.class_token === "rewritten",
      };
      for (const { name, box, label } of boxes) {
        box.checked = on[name];
        box.disabled = !may[name];
        label.toggleAttribute("data-dead", !may[name]);
      }
    },
  };
}

/** @type {Record<string, Redundant>} */
const REDUNDANTS = { clip_surgery: "empty" };

/**
 * @param {string} label
 * @param {string[]} names
 * @param {Record<string, string>} words
 * @param {(at: number) => void} choose
 */
function choice(label, names, words, choose) {
  const options = names.map((name) => element("option", {}, words[`${label}:${name}`] ?? name));
  const select = element("select", { onchange: () => choose(select.selectedIndex) }, ...options);
  return {
    node: element("label", {}, `${label} `, select),
    set(/** @type {number} */ at, /** @type {boolean} */ enabled) {
      select.selectedIndex = at;
      select.disabled = !enabled;
    },
  };
}
