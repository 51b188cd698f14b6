// How do the scores of patches become those of pixels, and these places in a table of colours?
// @ts-check

/**
 * @typedef {object} Grid  patches on an image
 * @property {number} height patches down
 * @property {number} width patches across
 * @property {[number, number, number, number]} box top, left, bottom and right of what they cover,
 *   in pixels of the image
 * @property {[number, number]} image_size height and width of the image
 * @typedef {{low: number, high: number}} Span
 * @typedef {Span & {colours: string}} Scale
 */

/**
 * Place of a score in a table of 256 colours; the middle where the scale has no extent.
 * @param {number} score
 * @param {Span} scale
 */
export function colourIndex(score, { low, high }) {
  if (!(high > low)) return 128;
  return Math.round(Math.min(Math.max((score - low) / (high - low), 0), 1) * 255);
}

/**
 * Which two cells each pixel of an axis mixes, and how much of the second; `inside` is 0 beyond the
 * cells. The same rule as `Grid.onto_image` in Python.
 * @param {number} cells
 * @param {number} start
 * @param {number} stop
 * @param {number} length
 * @param {number} pixels
 */
function sampling(cells, start, stop, length, pixels) {
  const low = new Uint16Array(pixels);
  const part = new Float32Array(pixels);
  const inside = new Uint8Array(pixels);
  for (let i = 0; i < pixels; i++) {
    const position = ((((i + 0.5) * length) / pixels - start) / (stop - start)) * cells;
    const inner = Math.min(Math.max(position - 0.5, 0), cells - 1);
    low[i] = Math.min(Math.floor(inner), Math.max(cells - 2, 0));
    part[i] = inner - low[i];
    inside[i] = position >= 0 && position <= cells ? 1 : 0;
  }
  return { low, part, inside };
}

/**
 * Scores on the whole image, height × width, bilinear or as patches; NaN where the grid does not
 * reach and in patches that are not known, which are not mixed with their neighbours. The same rule
 * as `interpolate` in Python.
 * @param {ArrayLike<number>} scores
 * @param {Grid} grid
 * @param {number} height
 * @param {number} width
 * @param {boolean} smooth
 */
export function ontoImage(scores, grid, height, width, smooth) {
  const [top, left, bottom, right] = grid.box;
  const rows = sampling(grid.height, top, bottom, grid.image_size[0], height);
  const columns = sampling(grid.width, left, right, grid.image_size[1], width);
  const known = Float64Array.from(scores, (score) => (Number.isFinite(score) ? 1 : 0));
  if (!known.includes(0)) return mix(scores, grid, rows, columns, smooth);
  const filled = Float64Array.from(scores, (score, n) => (known[n] ? score : 0));
  const mixed = mix(filled, grid, rows, columns, smooth);
  const weights = mix(known, grid, rows, columns, smooth);
  const inside = { rows: nearest(rows), columns: nearest(columns) };
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const patch = inside.rows[y] * grid.width + inside.columns[x]; // NaN is none
      mixed[i] = weights[i] > 0 && known[patch] !== 0 ? mixed[i] / weights[i] : NaN;
    }
  }
  return mixed;
}

/** @typedef {ReturnType<typeof sampling>} Sampling */

/**
 * In which cell each pixel of an axis lies; NaN for one halfway between two.
 * @param {Sampling} axis
 */
function nearest({ low, part }) {
  return Array.from(low, (n, i) => (part[i] === 0.5 ? NaN : n + Math.round(part[i])));
}

/**
 * @param {ArrayLike<number>} filled
 * @param {Grid} grid
 * @param {Sampling} rows
 * @param {Sampling} columns
 * @param {boolean} smooth
 */
function mix(filled, grid, rows, columns, smooth) {
  const [height, width] = [rows.low.length, columns.low.length];
  const next = grid.width > 1 ? 1 : 0;
  // every row of patches, drawn out to the width of the picture
  const across = new Float64Array(grid.height * width);
  for (let row = 0, i = 0; row < grid.height; row++) {
    for (let x = 0; x < width; x++, i++) {
      const u = smooth ? columns.part[x] : Math.round(columns.part[x]);
      const at = row * grid.width + columns.low[x];
      across[i] = columns.inside[x] ? filled[at] * (1 - u) + filled[at + next] * u : NaN;
    }
  }
  const pixels = new Float32Array(height * width).fill(NaN);
  const down = grid.height > 1 ? width : 0;
  for (let y = 0; y < height; y++) {
    if (!rows.inside[y]) continue;
    const v = smooth ? rows.part[y] : Math.round(rows.part[y]);
    for (let x = 0, i = y * width, at = rows.low[y] * width; x < width; x++, i++, at++) {
      pixels[i] = across[at] * (1 - v) + across[at + down] * v;
    }
  }
  return pixels;
}
