// What does the page ask of the model? All that one state of it shows, and then what would be if a
// thing were not there. What did not change since the last question is not computed again.
// @ts-check
import { mapOf, sharesOf } from "./decomposition.js";
import { cosines, featureSurgery, rewrite } from "./surgery.js";
import { spell, withoutEach } from "./tokens.js";
import { normalised, read, see } from "./towers.js";

/** @import { Model } from "./model.js" */
/** @import { Rewrite } from "./surgery.js" */
/** @import { Trace } from "./towers.js" */
/**
 * @typedef {object} Asked
 * @property {Uint8ClampedArray} colours of the picture, four bytes a pixel
 * @property {number} picture its number: another one, another picture
 * @property {number[]} silenced heads that bring nothing, counted layer by layer
 * @property {string[]} texts
 * @property {number} text the one whose maps are shown
 * @property {Rewrite} change
 * @property {"empty" | "labels" | "nothing"} redundant what is subtracted
 * @typedef {object} Answer
 * @property {(number | null)[]} cosines of the texts; null of one that cannot be read
 * @property {string[]} errors why not; else empty
 * @property {Maps | null} maps null where the chosen text cannot be read
 * @typedef {object} Maps  of the chosen text; P patches
 * @property {Float32Array} raw (P,)
 * @property {Float32Array} surgery (P,)
 * @property {Float32Array} made (P,) what all heads together fetched from each patch
 * @property {Float32Array} heads (L * H, P)
 * @property {Float32Array} shares (L * H,) of the cosine, from all patches
 * @property {{name: string, drop: number, pieces: number}[]} words what the cosine loses without
 *   each, and how many pieces it is spelled in
 * @property {Float32Array} wordMaps (words, P) surgery's map less that without the word
 * @property {boolean} alone a single text shares nothing: the empty text was subtracted instead
 * @typedef {object} WhatIf
 * @property {number} picture its number
 * @property {Uint8ClampedArray[]} pictures each without one thing
 * @property {Uint8ClampedArray} whole
 * @property {number[]} silenced
 * @property {string[]} texts
 * @typedef {object} Effects
 * @property {(number | null)[][]} without the cosines of every picture
 * @property {(number | null)[] | null} unsilenced the cosines with all heads, if some are silenced
 */

/** @param {Model} model */
export function createAnswers(model) {
  const { heads, blocks, joint } = model.image;
  /** @type {Map<string, {feature: Float32Array} | {error: string}>} */
  const known = new Map();
  /** @type {{key: string, trace: Trace} | null} */
  let last = null;
  /** @type {{key: string, tokens: Float32Array} | null} */
  let rewritten = null; // no text changes it

  const byLayer = (/** @type {number[]} */ silenced) =>
    blocks.map((_, layer) =>
      silenced.filter((at) => Math.floor(at / heads) === layer).map((at) => at % heads),
    );
  const look = (/** @type {Uint8ClampedArray} */ colours, /** @type {number[]} */ silenced) =>
    see(model.image, normalised(model.image, colours), byLayer(silenced));
  const encode = (/** @type {number[]} */ ids) => read(model.text, ids, model.vocabulary.end);
  const empty = encode([model.vocabulary.start, model.vocabulary.end]);

  /** @param {string} text */
  const featureOf = (text) => {
    const before = known.get(text);
    if (before) return before;
    if (known.size > 500) known.clear();
    /** @type {{feature: Float32Array} | {error: string}} */
    let found;
    try {
      found = { feature: encode(spell(text, model.vocabulary).ids) };
    } catch (error) {
      found = { error: error instanceof Error ? error.message : String(error) };
    }
    known.set(text, found);
    return found;
  };
  /** @param {Float32Array} token of the whole picture @param {string[]} texts */
  const cosinesOf = (token, texts) =>
    texts.map((text) => {
      const found = featureOf(text);
      return "error" in found ? null : cosines(token, [found.feature])[0][0];
    });
  /** @param {Uint8ClampedArray} colours @param {number[]} silenced */
  const wholeOf = (colours, silenced) => look(colours, silenced).tokens.slice(0, joint);

  /**
   * @param {Asked} asked
   * @returns {Answer}
   */
  const answer = ({ colours, picture, silenced, texts, text, change, redundant }) => {
    const key = `${picture} ${silenced}`;
    if (last?.key !== key) last = { key, trace: look(colours, silenced) };
    const { trace } = last;
    const found = texts.map(featureOf);
    const errors = found.map((one) => ("error" in one ? one.error : ""));
    const chosen = found[text];
    const all = { cosines: cosinesOf(trace.tokens.subarray(0, joint), texts), errors };
    if (!chosen || "error" in chosen) return { ...all, maps: null };
    const read = found.flatMap((one) => ("error" in one ? [] : [one.feature]));
    const way = `${key} ${JSON.stringify(change)}`;
    if (rewritten?.key !== way)
      rewritten = { key: way, tokens: rewrite(model.image, trace, change) };
    const { tokens } = rewritten;
    const ready = (/** @type {Float32Array} */ own) => {
      if (redundant === "nothing") return cosines(tokens, [own])[0];
      if (redundant === "empty" || read.length < 2) return featureSurgery(tokens, [own], empty)[0];
      const others = read.map((one) => (one === chosen.feature ? own : one));
      return featureSurgery(tokens, others, null)[read.indexOf(chosen.feature)];
    };
    const shares = sharesOf(model.image, trace, chosen.feature);
    const surgery = ready(chosen.feature);
    const spelled = spell(texts[text], model.vocabulary);
    const shorter = withoutEach(spelled, model.vocabulary).map(encode);
    const [whole, ...parts] = cosines(trace.tokens.subarray(0, joint), [
      chosen.feature,
      ...shorter,
    ]);
    const maps = {
      raw: cosines(trace.tokens, [chosen.feature])[0].slice(1),
      surgery: surgery.slice(1),
      made: mapOf(shares),
      heads: joined(shares.heads.flat().map((one) => one.subarray(1))),
      shares: Float32Array.from(shares.heads.flat(), (one) => one.reduce((a, b) => a + b)),
      words: spelled.words.map(({ text, start, stop }, n) => ({
        name: text,
        drop: whole[0] - parts[n][0],
        pieces: stop - start,
      })),
      wordMaps: joined(
        shorter.map((one) => {
          const left = ready(one);
          return surgery.map((value, n) => value - left[n]).subarray(1);
        }),
      ),
      alone: redundant === "labels" && read.length < 2,
    };
    return { ...all, maps };
  };

  /** @type {{key: string, tokens: Float32Array[], unsilenced: Float32Array | null} | null} */
  let imagined = null; // no text changes it either
  /**
   * @param {WhatIf} asked
   * @returns {Effects}
   */
  const effects = ({ picture, pictures, whole, silenced, texts }) => {
    const key = `${picture} ${silenced}`;
    if (imagined?.key !== key) {
      const tokens = pictures.map((colours) => wholeOf(colours, silenced));
      imagined = { key, tokens, unsilenced: silenced.length ? wholeOf(whole, []) : null };
    }
    const { tokens, unsilenced } = imagined;
    const without = tokens.map((token) => cosinesOf(token, texts));
    return { without, unsilenced: unsilenced && cosinesOf(unsilenced, texts) };
  };
  return { answer, effects };
}

/** @param {Float32Array[]} rows */
function joined(rows) {
  const all = new Float32Array(rows.reduce((sum, row) => sum + row.length, 0));
  let at = 0;
  for (const row of rows) {
    all.set(row, at);
    at += row.length;
  }
  return all;
}
