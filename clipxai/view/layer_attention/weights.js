// How much does one token attend to another? Rows of attention by kind, layer, token and head, and the words and scales for them.
// @ts-check
import { format } from "../browser/number.js";

/** The class token, as a cell outside the grid. */
export const CLASS = { grid: 0, row: -1, column: -1 };

const BESIDE = 1 / 131068; // error of what travels beside the rows: half a step of 65,534, and no weight is larger than 1

/** Number of the token at a cell; 0 is the class token. @param {{row: number, column: number}} cell @param {{width: number}} grid */
export function tokenOf(cell, grid) {
  return cell.row < 0 ? 0 : 1 + cell.row * grid.width + cell.column;
}

/** @param {number} token @param {{width: number}} grid */
export function cellOf(token, grid) {
  return token
    ? { grid: 0, row: Math.floor((token - 1) / grid.width), column: (token - 1) % grid.width }
    : CLASS;
}

/** @param {number} token @param {{width: number}} grid @returns {string} */
export function nameOf(token, grid) {
  const { row, column } = cellOf(token, grid);
  return token ? `row ${row}, column ${column}` : "[class]";
}

/**
 * Rows of weights. What travelled beside the rounded rows (the query itself, [class], sinks) is put back in its place.
 * @param {any} header @param {Record<string, any>} arrays
 */
export function createWeights(header, arrays) {
  const N = 1 + header.grids[0].height * header.grids[0].width;
  const { heads, columns, headed } = header;
  const C = columns.length;
  /** Rows of square matrices, one after the other. @param {string} rows @param {string} own @param {string} lifted */
  const restored = (rows, own, lifted) => {
    const [values, peaks] = [arrays[rows], peaksOf(arrays[rows], N)];
    for (let row = 0; row < arrays[own].length; row++) {
      const [matrix, query] = [Math.floor(row / N), row % N];
      for (let c = 0; c < C; c++)
        values[row * N + columns[c]] = arrays[lifted][(matrix * C + c) * N + query];
      values[row * N + query] = arrays[own][row];
    }
    return { values, peaks };
  };
  /** @type {Record<string, Record<string, {values: Float32Array, peaks: Float32Array}>>} */
  const kinds = {};
  for (const { name } of header.kinds) {
    const [rows, some] = [arrays[`class_${name}`], arrays[`class_columns_${name}`]];
    kinds[name] = {
      mean: restored(`mean_${name}`, `own_${name}`, `columns_${name}`),
      ofClass: { values: rows, peaks: peaksOf(rows, N) },
    };
    for (let row = 0; row < rows.length / N; row++)
      for (let c = 0; c < C; c++) rows[row * N + columns[c]] = some[row * C + c];
    if (headed.length)
      kinds[name].heads = restored(`heads_${name}`, `heads_own_${name}`, `heads_columns_${name}`);
  }
  /** Whose rows, and the number of the row. @param {string} kind @param {number} layer @param {number} token @param {number | null} head */
  const find = (kind, layer, token, head) => {
    if (head === null) return { ...kinds[kind].mean, n: layer * N + token };
    if (token === 0) return { ...kinds[kind].ofClass, n: layer * heads + head };
    return {
      ...kinds[kind].heads,
      n: (headed.indexOf(header.layers[layer]) * heads + head) * N + token,
    };
  };
  return {
    tokens: N,
    /** Weights (N) of a query token: of one head (of [class], or of a layer that `answersByHead`), or mean of heads.
     * @param {string} kind @param {number} layer @param {number} token @param {number | null} head */
    row(kind, layer, token, head) {
      const { values, n } = find(kind, layer, token, head);
      return values.subarray(n * N, (n + 1) * N);
    },
    /** How far a weight may be from the true one. @param {string} kind @param {number} layer @param {number} query
     * @param {number | null} head @param {number} token */
    error(kind, layer, query, head, token) {
      if (token === query || columns.includes(token)) return BESIDE;
      const { values, peaks, n } = find(kind, layer, query, head);
      return roundingError(values[n * N + token], peaks[n], header.steps);
    },
  };
}

/** Whether single heads of a layer are here for a token. @param {any} header @param {number} layer @param {number} token @returns {boolean} */
export function answersByHead(header, layer, token) {
  return token === 0 || header.headed.includes(header.layers[layer]);
}

/** Largest weight of every row. @param {Float32Array} values @param {number} N @returns {Float32Array} */
function peaksOf(values, N) {
  const peaks = new Float32Array(values.length / N);
  for (let i = 0; i < values.length; i++)
    if (values[i] > peaks[Math.floor(i / N)]) peaks[Math.floor(i / N)] = values[i];
  return peaks;
}

/** Half a step of the square root, as a weight. @param {number} value as it arrived @param {number} peak @param {number} steps */
export function roundingError(value, peak, steps) {
  return Math.sqrt(value * peak) / steps + peak / (4 * steps * steps);
}

/** A weight for people, with its error of rounding if that reaches the digits shown.
 * @param {number} value @param {number} error @returns {string} */
export function written(value, error) {
  return error > 0.0005 * value
    ? `${format(value)} ± ${format(Number(error.toPrecision(1)))}`
    : format(value);
}

/** Tokens that are left out of the scale of a query.
 * @param {any} state @param {number} query @param {number[]} sinks @returns {Set<number>} */
export function hiddenOf(state, query, sinks) {
  return new Set([
    ...(state.withoutClass ? [0] : []),
    ...(state.withoutSinks ? sinks : []),
    ...(state.withoutSelf ? [query] : []),
  ]);
}

/** Largest of several rows, hidden tokens aside. @param {ArrayLike<number>[]} rows @param {Set<number>} hidden @returns {number} */
export function topOf(rows, hidden) {
  let top = 0;
  for (const row of rows)
    for (let i = 0; i < row.length; i++) if (row[i] > top && !hidden.has(i)) top = row[i];
  return top;
}

/** The patch with the largest weight, the query itself aside; a token. @param {ArrayLike<number>} row @param {number} query */
export function strongest(row, query) {
  let best = query === 1 ? 2 : 1;
  for (let i = 1; i < row.length; i++) if (i !== query && row[i] > row[best]) best = i;
  return Math.min(best, row.length - 1);
}

/** Mean distance of a patch to what it looks at, in patches; NaN for the class token. @param {ArrayLike<number>} row
 * @param {number} query @param {{width: number}} grid */
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

/** The head whose strips are shown: for a patch the mean, because its single heads are not known in every layer. @param {any} sight */
export function inAllLayers({ token, head }) {
  return token ? null : head;
}

/** Why a head that was chosen is not seen. @param {any} header @param {number} layer @param {number} head @returns {string} */
export function missingHeads(header, layer, head) {
  const [n, there] = [
    header.layers[layer],
    header.headed.length ? `only in layer ${header.headed.join(", ")}` : "in no layer",
  ];
  return (
    `Mean of heads, not head ${head}: single heads answer for a patch ${there} of this figure, elsewhere for [class] only. ` +
    `In Python: cx.attention_maps(trace).with_heads(trace, [${n}]).`
  );
}

/**
 * What the colours mean at this moment; of the first state, `notes_of` in Python says the same.
 * @param {any} header @param {any} state @param {any} sight @param {number} top end of the shared scale @param {number} rolloutTop
 * @returns {string[]}
 */
export function captionOf(header, state, { token, layer, head, kinds }, top, rolloutTop) {
  const who = token ? `the patch in ${nameOf(token, header.grids[0])}` : "[class]";
  const strips = token ? " (in the strips of all layers: mean of heads)" : "";
  const heads = head === null ? `mean of ${header.heads} heads` : `head ${head} alone${strips}`;
  const scale = state.own
    ? "Each map on its own scale, from 0 to its largest weight, so colours do not compare across maps"
    : `One scale for all layers${kinds.length > 1 ? " and kinds" : ""}, from 0 to ${format(top)}`;
  const sinks = state.withoutSinks && header.sinks.length && "the sinks";
  const out = [
    state.withoutSelf && token && "the query itself",
    state.withoutClass && "[class]",
    sinks,
  ].filter(Boolean);
  const rollout = state.own
    ? "Each on its own scale"
    : `Its own scale, from 0 to ${format(rolloutTop)}`;
  return [
    `Colour: attention weight of ${who} in layer ${header.layers[layer]}: the share of its attention that goes to each patch, ${heads}. ` +
      `${scale}; colour follows the square root.`,
    out.length
      ? `Drawn, but left out when the scale was set: ${out.join(", ")}. Where they exceed the scale they have its last colour.`
      : "Nothing is left out of the scale.",
    "Rollout: attention of all layers so far multiplied, seen from [class]; half of every token stays where it is " +
      `(Abnar & Zuidema 2020). ${rollout}.`,
    ...(answersByHead(header, layer, token) || state.head === null
      ? []
      : [missingHeads(header, layer, state.head)]),
    ...header.notes,
    `Weights travel in ${header.steps} steps of their square root: \u00b1 is the error of that, at most 1/${header.steps} of the largest ` +
      "weight in a row. [class], sinks and the query itself are right to 0.00001.",
    ...header.dropped,
  ];
}
