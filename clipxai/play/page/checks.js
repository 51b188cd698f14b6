// Which values of an address can be believed?
// @ts-check
import { below, isFlag, isShare, oneOf } from "../../view/browser/keep.js";
import { LARGEST, LONGEST_TEXT, MOST_TEXTS, MOST_THINGS, SMALLEST } from "./limits.js";
import { ATTENTIONS, REDUNDANT } from "./switches.js";
import { OWN } from "./walks.js";

/** @import { Checks } from "../../view/browser/keep.js" */
/** @import { Rewrite } from "../engine/surgery.js" */
/** @import { PlayHeader, PlayState, Thing } from "./types.js" */

/**
 * @param {PlayHeader} header
 * @returns {Checks<PlayState>}
 */
export function checksOf({ pictures, model, walks }) {
  const { layers, heads } = model.image;
  const head = below(layers * heads);
  const list = (/** @type {unknown} */ value, /** @type {(one: unknown) => boolean} */ fits) =>
    Array.isArray(value) && value.every(fits);
  const isThing = (/** @type {unknown} */ value) => {
    const { name, x, y, side } = /** @type {Partial<Thing>} */ (value ?? {});
    const sized = typeof side === "number" && side >= SMALLEST && side <= LARGEST;
    return oneOf(pictures.names)(name) && isShare(x) && isShare(y) && sized;
  };
  const isText = (/** @type {unknown} */ value) =>
    typeof value === "string" && value.length <= LONGEST_TEXT;
  /** @type {Checks<PlayState>} */
  const checks = {
    scaling: below(2),
    alpha: isShare,
    smooth: isFlag,
    things: (value) => list(value, isThing) && /** @type {Thing[]} */ (value).length <= MOST_THINGS,
    background: oneOf(pictures.backgrounds),
    texts: (value) => {
      const count = list(value, isText) ? /** @type {string[]} */ (value).length : 0;
      return count > 0 && count <= MOST_TEXTS;
    },
    text: below(MOST_TEXTS),
    change: (value) => isChange(value, layers),
    redundant: oneOf(REDUNDANT),
    silenced: (value) => {
      const heads = list(value, head) ? /** @type {number[]} */ (value) : null;
      return heads !== null && new Set(heads).size === heads.length;
    },
    head: (value) => value === null || head(value),
    word: (value) => value === null || below(64)(value),
    walk: (value) => value === null || walks.some(({ name }) => name === value),
    step: below(20),
  };
  // as much of it as is checked by itself, and nothing less
  const isBefore = (/** @type {unknown} */ value) => {
    const kept = /** @type {Record<string, unknown>} */ (value ?? {});
    return OWN.every((option) => checks[option]?.(kept[option]));
  };
  return { ...checks, before: (value) => value === null || isBefore(value) };
}

/**
 * A way through the last blocks that Python would not refuse.
 * @param {unknown} value
 * @param {number} layers
 */
function isChange(value, layers) {
  const change = /** @type {Partial<Rewrite>} */ (value ?? {});
  const positive = (/** @type {unknown} */ n) =>
    n === null || (typeof n === "number" && n >= 0.001 && n < 100);
  const kept = ["neighbourhood", "normalize", "sharpen"].map(
    (name) => /** @type {Record<string, unknown>} */ (change)[name],
  );
  const compares = change.attention !== "gem" && change.attention !== "identity";
  return (
    oneOf(ATTENTIONS)(change.attention) &&
    below(layers + 1)(change.blocks) &&
    [change.dual_path, change.residual, change.ffn].every(isFlag) &&
    positive(change.neighbourhood) &&
    oneOf([null, true, false])(change.normalize) &&
    positive(change.sharpen) &&
    below(11)(change.iterations) &&
    (change.attention === "gem" || change.iterations === 1) &&
    (compares || kept.every((one) => one === null)) &&
    oneOf(["original", "rewritten"])(change.class_token)
  );
}
