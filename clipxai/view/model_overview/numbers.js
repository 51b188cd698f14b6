// Which numbers belong to what is followed, chosen and open?
// @ts-check
import { focused } from "../browser/state.js";

/** @import { Cell } from "../browser/state.js" */
/** @import { Column, OverviewArrays, OverviewHeader, OverviewState, Row } from "./types.js" */

/**
 * Patches of the image.
 * @param {OverviewHeader} header
 */
export function patchesOf({ grids }) {
  return grids[0].height * grids[0].width;
}

/**
 * Number of the patch that is followed, from 0; −1 for the whole image.
 * @param {OverviewHeader} header
 * @param {OverviewState} state
 */
export function followedPatch({ grids }, state) {
  const cell = focused(state);
  return cell ? cell.row * grids[0].width + cell.column : -1;
}

/**
 * The patch that is asked where it looks: the followed one, or one that is told; −1 for [class],
 * where it can be asked.
 * @param {OverviewHeader} header
 * @param {OverviewState} state
 * @param {boolean} [patches] whether only patches can be
 */
export function askedPatch(header, state, patches = !header.kept_class) {
  const patch = followedPatch(header, state);
  return patch < 0 && patches ? header.asked[state.text] : patch;
}

/**
 * Row and column of a token of the stream; null if it is no patch.
 * @param {OverviewHeader} header
 * @param {number} token
 * @returns {Cell | null}
 */
export function placeOfToken({ grids, leading }, token) {
  const patch = token - leading;
  if (patch < 0) return null;
  return { grid: 0, row: Math.floor(patch / grids[0].width), column: patch % grids[0].width };
}

/**
 * Where a patch looks by a head, or the first token for −1; null if that did not travel.
 * @param {OverviewHeader} header
 * @param {OverviewArrays} arrays
 * @param {number} layer
 * @param {number} head
 * @param {number} patch
 * @returns {Row | null}
 */
export function rowOf(header, arrays, layer, head, patch) {
  const { leading, heads, patch_heads, kept_class, kept } = header;
  const count = leading + patchesOf(header);
  if (patch < 0) {
    return kept_class ? keptRow(arrays, "class", layer * heads + head, kept_class, count) : null;
  }
  if (!patch_heads) return null;
  const own = patch_heads === 1 ? 0 : head;
  const at = (layer * patch_heads + own) * patchesOf(header) + patch;
  return keptRow(arrays, "patch", at, kept, count);
}

/**
 * Where a patch looks by v-v attention in a block of the second rail.
 * @param {OverviewHeader} header
 * @param {OverviewArrays} arrays
 * @param {number} n of the rail's blocks
 * @param {number} patch
 * @returns {Row | null}
 */
export function railRow(header, arrays, n, patch) {
  if (!arrays.vv_low) return null;
  const count = header.leading + patchesOf(header);
  return keptRow(arrays, "vv", n * patchesOf(header) + patch, header.kept, count);
}

/**
 * @param {OverviewArrays} arrays
 * @param {string} name
 * @param {number} at
 * @param {number} kept
 * @param {number} count
 * @returns {Row}
 */
function keptRow(arrays, name, at, kept, count) {
  const part = (/** @type {string} */ which) => arrays[`${name}_${which}`];
  const [low, high] = [part("low"), part("high")];
  const numbers = Array.from({ length: kept }, (_, n) => at * kept + n);
  return {
    tokens: numbers.map((n) => low[n] + 256 * high[n]),
    weights: numbers.map((n) => part("weights")[n]),
    level: part("level")[at],
    spread: part("spread")[at],
    count,
  };
}

/**
 * A row as a map over the patches; all that was not kept has its mean.
 * @param {OverviewHeader} header
 * @param {Row[]} rows of several heads, whose mean is taken
 */
export function rowMap(header, rows) {
  const values = new Float32Array(patchesOf(header));
  for (const { tokens, weights, count } of rows) {
    const left = 1 - weights.reduce((sum, weight) => sum + weight, 0);
    const mean = Math.max(0, left) / Math.max(1, count - tokens.length);
    for (let n = 0; n < values.length; n++) values[n] += mean / rows.length;
    tokens.forEach((token, n) => {
      if (token >= header.leading)
        values[token - header.leading] += (weights[n] - mean) / rows.length;
    });
  }
  return values;
}

/**
 * What a module of some blocks added to the cosine of what is followed; null if that is not known.
 * @param {OverviewHeader} header
 * @param {OverviewArrays} arrays
 * @param {"attention" | "ffn"} module
 * @param {Column} column
 * @param {number} text
 * @param {number} patch
 */
export function shareOf(header, arrays, module, { first, last }, text, patch) {
  const values = arrays[module];
  if (!values) return null;
  const N = 1 + patchesOf(header);
  let sum = 0;
  for (let n = first; n <= last; n++) {
    sum += values[(n * header.texts.length + text) * N + 1 + patch];
  }
  return sum;
}

/**
 * Map of what a module added to every patch's own cosine.
 * @param {OverviewHeader} header
 * @param {Float32Array} values
 * @param {number} layer
 * @param {number} text
 */
export function sharesMap(header, values, layer, text) {
  const N = 1 + patchesOf(header);
  const start = (layer * header.texts.length + text) * N;
  return values.subarray(start + 1, start + N);
}

/**
 * The largest share of any module, of the whole image or of any patch.
 * @param {OverviewHeader} header
 * @param {OverviewArrays} arrays
 * @param {number} text
 * @param {boolean} whole
 */
export function reachOfShares(header, arrays, text, whole) {
  const key = `${text} ${whole}`;
  const known = REACHES.get(arrays) ?? new Map();
  REACHES.set(arrays, known);
  if (!known.has(key)) known.set(key, reachOf(header, arrays, text, whole));
  return /** @type {number} */ (known.get(key));
}

/** What does not change while patches are followed. @type {WeakMap<object, Map<string, number>>} */
const REACHES = new WeakMap();

/**
 * @param {OverviewHeader} header
 * @param {OverviewArrays} arrays
 * @param {number} text
 * @param {boolean} whole
 */
function reachOf(header, arrays, text, whole) {
  const N = 1 + patchesOf(header);
  let reach = 0;
  for (const values of [arrays.attention, arrays.ffn]) {
    for (let layer = 0; values && layer < header.layers; layer++) {
      const start = (layer * header.texts.length + text) * N;
      const part = whole
        ? values.subarray(start, start + 1)
        : values.subarray(start + 1, start + N);
      for (const value of part)
        if (Number.isFinite(value)) reach = Math.max(reach, Math.abs(value));
    }
  }
  return reach;
}

/**
 * Cosine at a station of the whole image (−1) or a patch.
 * @param {OverviewHeader} header
 * @param {OverviewArrays} arrays
 * @param {number} station
 * @param {number} text
 * @param {number} patch
 */
export function lensAt(header, arrays, station, text, patch) {
  const N = 1 + patchesOf(header);
  return arrays.lens[(station * header.texts.length + text) * N + 1 + patch];
}

/**
 * The map of a station.
 * @param {OverviewHeader} header
 * @param {OverviewArrays} arrays
 * @param {number} station
 * @param {number} text
 */
export function lensMap(header, arrays, station, text) {
  return sharesMap(header, arrays.lens, station, text);
}

/**
 * The map of a station of the second rail, as its switches stand; its last has the empty text taken
 * off if that is chosen. Null if it did not travel.
 * @param {OverviewHeader} header
 * @param {OverviewArrays} arrays
 * @param {number} station
 * @param {OverviewState} state
 */
export function railMap({ rail, rail_stations, texts, grids }, arrays, station, { setting, text }) {
  if (!rail || !arrays.rail) return null;
  const dropped = rail.blocks + 1 - rail_stations; // stations that did not travel
  if (station < dropped) return null;
  const P = grids[0].height * grids[0].width;
  const own = setting & (2 ** rail.switches - 1);
  const start = ((own * rail_stations + station - dropped) * texts.length + text) * P;
  const values = arrays.rail.subarray(start, start + P);
  const { empty } = arrays;
  if (!empty || station < rail.blocks || !(setting >> rail.switches)) return values;
  return values.map((value, n) => value - empty[own * P + n]);
}

/**
 * Lowest to highest of what is known.
 * @param {ArrayLike<number>} values
 */
export function spanOf(values) {
  const known = Array.from(values).filter(Number.isFinite);
  return known.length ? { low: Math.min(...known), high: Math.max(...known) } : { low: 0, high: 0 };
}

/**
 * Zero in the middle.
 * @param {ArrayLike<number>[]} maps
 */
export function spanAroundZero(maps) {
  const ends = maps.map(spanOf);
  const high = Math.max(0, ...ends.map((one) => Math.max(Math.abs(one.low), Math.abs(one.high))));
  return { low: -high, high };
}

/**
 * What the blocks of the second rail do, as its switches stand.
 * @param {OverviewHeader} header
 * @param {OverviewState} state
 */
export function railKind({ words, stream }, { setting }) {
  const ffn = stream && !(setting & 4) ? words.with_ffn : "";
  return (setting & 1 ? words.vv : words.qk) + ffn;
}

/**
 * Whether the second rail reads what the first one holds.
 * @param {OverviewHeader} header
 * @param {OverviewState} state
 */
export function railReads({ stream }, { setting }) {
  return !stream || (setting & 2) === 2;
}
