// How much does one token attend to another? Rows of attention by kind, layer, token and head, and
// what can be said of a row in numbers.
// @ts-check

/** @import { Cell } from "../browser/state.js" */
/** @import { AttentionArrays, AttentionHeader, AttentionState } from "./types.js" */
/**
 * @typedef {{values: Float32Array, peaks: Float32Array}} Rows  and the largest weight of each
 * @typedef {{mean: Rows, ofClass: Rows, heads: Rows | null}} RowsOfKind  mean of heads; of [class],
 *   head by head; of every token, head by head, in the layers that were sent
 * @typedef {ReturnType<typeof createWeights>} Weights
 * @typedef {Pick<AttentionState, "withoutClass" | "withoutSinks" | "withoutSelf">} LeftOut
 * @typedef {Pick<AttentionHeader, "grids" | "heads" | "layers" | "columns" | "headed" | "steps">
 *   & {kinds: {name: string}[]}} WeightHeader
 */

/**
 * The whole image, as a cell outside the grid: the class token, or a pool.
 * @type {Cell}
 */
export const CLASS = { grid: 0, row: -1, column: -1 };

// error of what travels beside the rows: half a step of 65,534, and no weight is larger than 1
const BESIDE = 1 / 131068;

/**
 * Number of the token at a cell; 0 is the whole image.
 * @param {{row: number, column: number}} cell
 * @param {{width: number}} grid
 */
export function tokenOf(cell, grid) {
  return cell.row < 0 ? 0 : 1 + cell.row * grid.width + cell.column;
}

/**
 * @param {number} token
 * @param {{width: number}} grid
 * @returns {Cell}
 */
export function cellOf(token, { width }) {
  if (!token) return CLASS;
  return { grid: 0, row: Math.floor((token - 1) / width), column: (token - 1) % width };
}

/**
 * Rows of weights. What travelled beside the rounded rows (the query itself, [class], sinks) is put
 * back in its place.
 * @param {WeightHeader} header
 * @param {AttentionArrays} arrays
 */
export function createWeights(header, arrays) {
  const { heads, layers, columns, headed, steps, grids } = header;
  const N = 1 + grids[0].height * grids[0].width;
  /** @type {Record<string, RowsOfKind>} */
  const kinds = {};
  for (const { name } of header.kinds) {
    const ofClass = arrays[`class_${name}`];
    putBackColumns(ofClass, arrays[`class_columns_${name}`], columns, N);
    kinds[name] = {
      mean: putBack(arrays, `mean_${name}`, `own_${name}`, `columns_${name}`, columns, N),
      ofClass: withPeaks(ofClass, N),
      heads: headed.length
        ? putBack(arrays, `heads_${name}`, `heads_own_${name}`, `heads_columns_${name}`, columns, N)
        : null,
    };
  }
  /**
   * Whose rows, and the number of the row.
   * @param {string} kind
   * @param {number} layer
   * @param {number} token
   * @param {number | null} head
   */
  const find = (kind, layer, token, head) => {
    const { mean, ofClass, heads: single } = kinds[kind];
    if (head === null) return { ...mean, n: layer * N + token };
    if (token === 0 || !single) return { ...ofClass, n: layer * heads + head };
    return { ...single, n: (headed.indexOf(layers[layer]) * heads + head) * N + token };
  };
  return {
    tokens: N,
    /**
     * Weights (N) of a query token: of one head (of [class], or of a layer that `answersByHead`),
     * or mean of heads.
     * @param {string} kind
     * @param {number} layer
     * @param {number} token
     * @param {number | null} head
     */
    row(kind, layer, token, head) {
      const { values, n } = find(kind, layer, token, head);
      return values.subarray(n * N, (n + 1) * N);
    },
    /**
     * How far a weight may be from the true one.
     * @param {string} kind
     * @param {number} layer
     * @param {number} query
     * @param {number | null} head
     * @param {number} token
     */
    error(kind, layer, query, head, token) {
      if (token === query || columns.includes(token)) return BESIDE;
      const { values, peaks, n } = find(kind, layer, query, head);
      return roundingError(values[n * N + token], peaks[n], steps);
    },
  };
}

/**
 * Rows of square matrices, one after the other, with all that travelled beside them.
 * @param {AttentionArrays} arrays
 * @param {string} rows
 * @param {string} own weights of every query for itself
 * @param {string} lifted weights for some tokens
 * @param {number[]} columns these tokens
 * @param {number} N
 */
function putBack(arrays, rows, own, lifted, columns, N) {
  const values = arrays[rows];
  const found = withPeaks(values, N); // of what was rounded
  const C = columns.length;
  arrays[own].forEach((weight, row) => {
    const [matrix, query] = [Math.floor(row / N), row % N];
    for (let c = 0; c < C; c++) {
      values[row * N + columns[c]] = arrays[lifted][(matrix * C + c) * N + query];
    }
    values[row * N + query] = weight;
  });
  return found;
}

/**
 * @param {Float32Array} values rows
 * @param {Float32Array} lifted weights for some tokens, row by row
 * @param {number[]} columns these tokens
 * @param {number} N
 */
function putBackColumns(values, lifted, columns, N) {
  const C = columns.length;
  for (let row = 0; row < values.length / N; row++) {
    for (let c = 0; c < C; c++) values[row * N + columns[c]] = lifted[row * C + c];
  }
}

/**
 * @param {Float32Array} values
 * @param {number} N
 * @returns {Rows}
 */
function withPeaks(values, N) {
  const peaks = new Float32Array(values.length / N);
  values.forEach((value, i) => {
    const row = Math.floor(i / N);
    if (value > peaks[row]) peaks[row] = value;
  });
  return { values, peaks };
}

/**
 * Whether single heads of a layer are here for a token.
 * @param {Pick<AttentionHeader, "headed" | "layers">} header
 * @param {number} layer
 * @param {number} token
 */
export function answersByHead({ headed, layers }, layer, token) {
  return token === 0 || headed.includes(layers[layer]);
}

/**
 * The head whose strips are shown: for a patch the mean, because its single heads are not known in
 * every layer.
 * @param {{token: number, head: number | null}} sight
 */
export function inAllLayers({ token, head }) {
  return token ? null : head;
}

/**
 * Half a step of the square root, as a weight.
 * @param {number} value as it arrived
 * @param {number} peak
 * @param {number} steps
 */
export function roundingError(value, peak, steps) {
  return Math.sqrt(value * peak) / steps + peak / (4 * steps * steps);
}

/**
 * Tokens that are left out of the scale of a query.
 * @param {LeftOut} state
 * @param {number} query
 * @param {number[]} sinks
 */
export function hiddenOf(state, query, sinks) {
  return new Set([
    ...(state.withoutClass ? [0] : []),
    ...(state.withoutSinks ? sinks : []),
    ...(state.withoutSelf ? [query] : []),
  ]);
}

/**
 * Largest of several rows, hidden tokens aside.
 * @param {ArrayLike<number>[]} rows
 * @param {Set<number>} hidden
 */
export function topOf(rows, hidden) {
  let top = 0;
  for (const row of rows) {
    for (let i = 0; i < row.length; i++) if (row[i] > top && !hidden.has(i)) top = row[i];
  }
  return top;
}

/**
 * The patch with the largest weight, the query itself aside; a token.
 * @param {ArrayLike<number>} row
 * @param {number} query
 */
export function strongest(row, query) {
  let best = query === 1 ? 2 : 1;
  for (let i = 1; i < row.length; i++) if (i !== query && row[i] > row[best]) best = i;
  return Math.min(best, row.length - 1);
}

/**
 * Lowest and highest weight for the patches, the query itself aside, where they are so alike that
 * their map has one colour; else null.
 * @param {ArrayLike<number>} row
 * @param {number} query
 * @param {number} least of the highest that the lowest has
 */
export function evenly(row, query, least) {
  let [low, high] = [Infinity, 0];
  for (let i = 1; i < row.length; i++) {
    if (i === query) continue;
    low = Math.min(low, row[i]);
    high = Math.max(high, row[i]);
  }
  return high > 0 && low >= least * high ? { low, high } : null;
}

/**
 * Mean distance of a patch to what it looks at, in patches; NaN for the whole image.
 * @param {ArrayLike<number>} row
 * @param {number} query
 * @param {{width: number}} grid
 */
export function meanDistance(row, query, grid) {
  if (!query) return NaN;
  const from = cellOf(query, grid);
  let [sum, all] = [0, 0];
  for (let i = 1; i < row.length; i++) {
    const { row: y, column: x } = cellOf(i, grid);
    sum += row[i] * Math.hypot(y - from.row, x - from.column);
    all += row[i];
  }
  return sum / all;
}
