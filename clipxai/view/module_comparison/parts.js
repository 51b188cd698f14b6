// Which numbers belong to a text, a layer and a patch? Read from the arrays, for bars, maps and
// words.
// @ts-check
import { fill } from "../browser/number.js";
import { focused } from "../browser/state.js";

/** @import { Scale } from "../browser/interpolate.js" */
/** @import { MapSpec } from "../browser/panel.js" */
/** @import { Lane } from "./lanes.js" */
/** @import { ModuleArrays, ModuleHeader, ModuleState } from "./types.js" */

/**
 * The layer whose maps are shown.
 * @param {ModuleState} state
 */
export function shownLayer(state) {
  return state.preview ?? state.layer;
}

/**
 * The numbers of one text: of the class token, and of the patch in view if there is one.
 * @param {ModuleHeader} header
 * @param {ModuleArrays} arrays
 * @param {ModuleState} state
 */
export function partsOf({ texts, layers, grids }, arrays, state) {
  const { text } = state;
  const [T, P] = [texts.length, grids[0].height * grids[0].width];
  const cell = focused(state);
  const range = Array.from({ length: layers }, (_, n) => n);
  const at = (/** @type {Float32Array} */ values, /** @type {number} */ token) =>
    values[text * (P + 1) + token];
  const endsAt = (/** @type {number} */ token) => ({
    embedding: at(arrays.embedding, token),
    bias: at(arrays.bias, token),
    similarity: at(arrays.similarity, token),
  });
  const patch = cell && cell.row * grids[0].width + cell.column;
  const ofPatch = (/** @type {Float32Array} */ values) =>
    range.map((n) => values[(n * T + text) * P + (patch ?? 0)]);
  const of = (/** @type {Float32Array} */ values) => range.map((n) => values[n * T + text]);
  const sums = arrays.cumulative.subarray(text * (layers + 2), (text + 1) * (layers + 2));
  return {
    attention: of(arrays.class_attention),
    ffn: of(arrays.class_ffn),
    ...endsAt(0),
    sums: Array.from(sums),
    patch:
      patch === null
        ? null
        : { attention: ofPatch(arrays.attention), ffn: ofPatch(arrays.ffn), ...endsAt(patch + 1) },
  };
}

/**
 * The rows above the maps.
 * @param {ModuleHeader} header
 * @param {ModuleArrays} arrays
 * @param {ModuleState} state
 * @returns {Lane[]}
 */
export function lanesOf(header, arrays, state) {
  const { layers, words, scales, closures } = header;
  const parts = partsOf(header, arrays, state);
  const { patch } = parts;
  const none = Array(layers).fill(null);
  const inner = (/** @type {(number | null)[]} */ values) => [null, ...values, null];
  const share = "parts";
  // of all patches, so that bars keep still while the pointer moves on
  const reach = patch ? scales[state.text].parts : [];
  const cosine = patch?.similarity ?? NaN;
  const marked = fill(words.marks, { ...focused(state), cosine });
  const ends = [parts.embedding, ...none, parts.bias];
  const align = { attention: arrays.attention_alignment, ffn: arrays.ffn_alignment };
  const alignment = [
    { values: inner(Array.from(align.attention)), name: words.attention },
    { values: inner(Array.from(align.ffn)), name: words.ffn },
  ];
  return [
    {
      name: words.attention_adds,
      bars: inner(parts.attention),
      share,
      reach,
      marks: patch && inner(patch.attention),
    },
    { name: words.ffn_adds, bars: inner(parts.ffn), share, marks: patch && inner(patch.ffn) },
    {
      name: words.ends,
      bars: ends,
      share,
      marks: patch && [patch.embedding, ...none, patch.bias],
      text: patch ? marked : closures[state.text],
    },
    { name: words.sum, lines: [{ values: parts.sums }] },
    { name: words.alignment, lines: alignment },
    ...selectionLane(header, arrays, state.text),
  ];
}

/**
 * How far each layer's attention selects the object: the lane of the ratios, if the text's mask is
 * known.
 * @param {ModuleHeader} header
 * @param {ModuleArrays} arrays
 * @param {number} text
 * @returns {Lane[]}
 */
export function selectionLane({ selections, kinds, layers, words }, { selection }, text) {
  const known = selections[text];
  if (!known || !selection) return [];
  const ratios = kinds.map((_, k) => {
    const start = (text * kinds.length + k) * layers;
    return Array.from(selection.subarray(start, start + layers));
  });
  const mean = ratios[0].map(
    (_, n) => ratios.reduce((sum, values) => sum + values[n], 0) / ratios.length,
  );
  const lines = ratios.map((values, k) => ({
    name: kinds[k],
    values: [null, ...values, null],
    above: [null, ...values.map((value, n) => (k ? value > mean[n] : value >= mean[n])), null],
  }));
  const titles = [null, ...known.titles, null];
  const reach = [-0.1]; // room for numbers below
  return [{ name: words.selection, lines, level: known.chance, reach, titles }];
}

/**
 * Attention, FFN and their difference of a layer, with the scale they share.
 * @param {ModuleHeader} header
 * @param {ModuleArrays} arrays
 * @param {ModuleState} state
 * @returns {MapSpec[]}
 */
export function mapsOf({ texts, grids, words, remarks, scales, outlines }, arrays, state) {
  const layer = shownLayer(state);
  const row = layer * texts.length + state.text;
  const size = grids[0].height * grids[0].width;
  const [attention, ffn] = [arrays.attention, arrays.ffn].map((values) =>
    values.subarray(row * size, (row + 1) * size),
  );
  const maps = [attention, ffn, attention.map((value, i) => value - ffn[i])];
  const titles = [words.attention_map, words.ffn_map, words.difference];
  const { all, layers } = scales[state.text];
  return maps.map((values, n) => ({
    title: fill(titles[n], { layer }),
    subtitle: fill(words.mean, { mean: arrays.means[3 * row + n] }),
    source: 0,
    values,
    remark: remarks[arrays.remarks[3 * row + n]],
    scales: [all, layers[layer]],
    outlines: outlines[state.text],
  }));
}

/**
 * The logit-lens map of a layer, counted from the embedding, and its scale.
 * @param {ModuleHeader} header
 * @param {ModuleArrays} arrays
 * @param {ModuleState} state
 * @param {number} n
 * @returns {{values: Float32Array, scale: Scale}}
 */
export function lensOf({ texts, grids, scales }, arrays, state, n) {
  const size = grids[0].height * grids[0].width;
  const start = (n * texts.length + state.text) * size;
  const values = arrays.lens.subarray(start, start + size);
  const shared = scales[state.text].lens;
  if (!state.scaling) return { values, scale: shared };
  const high = Math.max(0, ...values.filter(Number.isFinite).map(Math.abs));
  return { values, scale: { low: -high, high, colours: shared.colours } };
}
