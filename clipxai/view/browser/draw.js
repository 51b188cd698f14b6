// How do scores become pixels? Interpolation, colour tables, hatching and outlines on a 2D canvas.
// @ts-check

/**
 * @typedef {{height: number, width: number, box: [number, number, number, number], image_size: [number, number]}} Grid
 *   patches down and across; (top, left, bottom, right) of the image they cover, in its pixels; (height, width) of the image
 * @typedef {{low: number, high: number, colours: string}} Scale
 */

/**
 * Place of a score in a table of 256 colours; the middle where the scale has no extent.
 * @param {number} score @param {{low: number, high: number}} scale @returns {number} 0…255
 */
export function colourIndex(score, { low, high }) {
  if (!(high > low)) return 128;
  return Math.round(Math.min(Math.max((score - low) / (high - low), 0), 1) * 255);
}

/**
 * Which two cells each pixel of an axis mixes, and how much of the second; `inside` is 0 beyond the cells.
 * The same rule as `Grid.onto_image` in Python.
 * @param {number} cells @param {number} start @param {number} stop @param {number} length @param {number} pixels
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
 * Scores on the whole image, bilinear or as patches; NaN where the grid does not reach.
 * @param {ArrayLike<number>} scores @param {Grid} grid @param {number} height @param {number} width @param {boolean} smooth
 * @returns {Float32Array} height × width
 */
export function ontoImage(scores, grid, height, width, smooth) {
  const [top, left, bottom, right] = grid.box;
  const rows = sampling(grid.height, top, bottom, grid.image_size[0], height);
  const columns = sampling(grid.width, left, right, grid.image_size[1], width);
  const filled = fillNaN(scores);
  const next = grid.width > 1 ? 1 : 0;
  const across = new Float64Array(grid.height * width); // every row of patches, drawn out to the width of the picture
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
    for (let x = 0, i = y * width, at = rows.low[y] * width; x < width; x++, i++, at++)
      pixels[i] = across[at] * (1 - v) + across[at + down] * v;
  }
  return pixels;
}

/** Scores with their mean in place of NaN: those patches are hatched, but must not spoil their neighbours.
 * @param {ArrayLike<number>} scores @returns {Float32Array} */
function fillNaN(scores) {
  const filled = Float32Array.from(scores);
  const known = filled.filter((value) => Number.isFinite(value));
  if (known.length === filled.length) return filled;
  const mean = known.length ? known.reduce((sum, value) => sum + value, 0) / known.length : 0;
  return filled.map((value) => (Number.isFinite(value) ? value : mean));
}

/**
 * Paint a map over a whole canvas; transparent where the grid does not reach.
 * @param {HTMLCanvasElement} canvas @param {ArrayLike<number>} scores @param {Grid} grid @param {Scale} scale
 * @param {Uint8Array} table 256 × RGB @param {boolean} smooth
 */
export function paintMap(canvas, scores, grid, scale, table, smooth) {
  const context = context2d(canvas);
  const { height, width } = canvas;
  const values = ontoImage(scores, grid, height, width, smooth);
  const picture = context.createImageData(width, height);
  const pixels = new Uint32Array(picture.data.buffer); // four bytes at a time
  const colours = new Uint32Array(opaque(table).buffer);
  for (let i = 0; i < values.length; i++)
    if (!Number.isNaN(values[i])) pixels[i] = colours[colourIndex(values[i], scale)];
  context.putImageData(picture, 0, 0);
}

/** Colours RGB as RGBA. @param {Uint8Array} table @returns {Uint8ClampedArray<ArrayBuffer>} */
function opaque(table) {
  const colours = new Uint8ClampedArray((table.length / 3) * 4).fill(255);
  for (let i = 0; i < table.length; i++) colours[i + Math.floor(i / 3)] = table[i];
  return colours;
}

/** A horizontal colour bar over a whole canvas. @param {HTMLCanvasElement} canvas @param {Uint8Array} table */
export function paintBar(canvas, table) {
  const context = context2d(canvas);
  canvas.width = 256;
  canvas.height = 1;
  context.putImageData(new ImageData(opaque(table), 256, 1), 0, 0);
}

/**
 * The rectangle of a cell in canvas pixels.
 * @param {Grid} grid @param {{row: number, column: number}} cell @param {HTMLCanvasElement} canvas
 * @returns {[number, number, number, number]} x, y, width, height
 */
export function cellBox(grid, cell, canvas) {
  const [top, left, bottom, right] = grid.box;
  const [H, W] = grid.image_size;
  const height = ((bottom - top) / grid.height / H) * canvas.height;
  const width = ((right - left) / grid.width / W) * canvas.width;
  return [
    (left / W) * canvas.width + cell.column * width,
    (top / H) * canvas.height + cell.row * height,
    width,
    height,
  ];
}

/** Dim what the grid does not cover. @param {HTMLCanvasElement} canvas @param {Grid} grid @param {number} brightness */
export function dimOutside(canvas, grid, brightness) {
  const context = context2d(canvas);
  const [x, y] = cellBox(grid, { row: 0, column: 0 }, canvas);
  const [x2, y2] = cellBox(grid, { row: grid.height, column: grid.width }, canvas);
  context.fillStyle = `rgba(0, 0, 0, ${1 - brightness})`;
  context.beginPath();
  context.rect(0, 0, canvas.width, canvas.height);
  context.rect(x, y, x2 - x, y2 - y);
  context.fill("evenodd");
}

/** Hatch patches whose score is not a number. @param {HTMLCanvasElement} canvas @param {ArrayLike<number>} scores @param {Grid} grid */
export function hatchNaN(canvas, scores, grid) {
  const context = context2d(canvas);
  context.strokeStyle = "#777";
  context.lineWidth = 1;
  for (let i = 0; i < scores.length; i++) {
    if (!Number.isNaN(scores[i])) continue;
    const cell = { row: Math.floor(i / grid.width), column: i % grid.width };
    const [left, top, across, down] = cellBox(grid, cell, canvas);
    const [x, y] = [Math.round(left), Math.round(top)]; // whole pixels, or neighbours would leave a seam
    const [width, height] = [Math.round(left + across) - x, Math.round(top + down) - y];
    context.save();
    context.beginPath();
    context.rect(x, y, width, height);
    context.clip();
    context.fillStyle = "#ddd";
    context.fillRect(x, y, width, height);
    context.beginPath();
    const first = Math.floor((x + y) / 6) * 6; // lines x + y = constant run on from patch to patch
    for (let sum = first; sum <= x + y + width + height; sum += 6) {
      context.moveTo(x, sum - x);
      context.lineTo(x + width, sum - x - width);
    }
    context.stroke();
    context.restore();
  }
}

/**
 * A closed line, white with a dark rim so that it shows on every colour.
 * @param {HTMLCanvasElement} canvas @param {number[]} points x, y, x, y … in image pixels @param {[number, number]} imageSize
 */
export function strokeOutline(canvas, points, [H, W]) {
  const context = context2d(canvas);
  const path = new Path2D();
  for (let i = 0; i < points.length; i += 2)
    path.lineTo((points[i] / W) * canvas.width, (points[i + 1] / H) * canvas.height);
  path.closePath();
  strokeTwice(context, path);
}

/**
 * Frame a cell; its cross-hair runs over the whole image.
 * @param {HTMLCanvasElement} canvas @param {Grid} grid @param {{row: number, column: number}} cell @param {boolean} pinned
 */
export function markCell(canvas, grid, cell, pinned) {
  const context = context2d(canvas);
  const [x, y, width, height] = cellBox(grid, cell, canvas);
  const lines = new Path2D();
  (lines.moveTo(x + width / 2, 0),
    lines.lineTo(x + width / 2, y),
    lines.moveTo(x + width / 2, y + height));
  (lines.lineTo(x + width / 2, canvas.height),
    lines.moveTo(0, y + height / 2),
    lines.lineTo(x, y + height / 2));
  (lines.moveTo(x + width, y + height / 2), lines.lineTo(canvas.width, y + height / 2));
  context.lineWidth = pixelRatio();
  context.strokeStyle = "rgba(255, 255, 255, 0.55)";
  context.setLineDash(pinned ? [] : [3, 3]);
  context.stroke(lines);
  context.setLineDash([]);
  const frame = new Path2D();
  frame.rect(x, y, width, height);
  strokeTwice(context, frame);
}

/** @param {CanvasRenderingContext2D} context @param {Path2D} path */
function strokeTwice(context, path) {
  const unit = pixelRatio();
  context.lineJoin = "round";
  context.strokeStyle = "#202020";
  context.lineWidth = 3.6 * unit;
  context.stroke(path);
  context.strokeStyle = "#fff";
  context.lineWidth = 1.6 * unit;
  context.stroke(path);
}

/** Device pixels of one CSS pixel. @returns {number} */
function pixelRatio() {
  return globalThis.devicePixelRatio || 1;
}

/** Give a canvas as many pixels as the screen shows of it, which also clears it. @param {HTMLCanvasElement} canvas */
export function fitToScreen(canvas) {
  canvas.width = Math.max(1, Math.round(canvas.clientWidth * pixelRatio()));
  canvas.height = Math.max(1, Math.round(canvas.clientHeight * pixelRatio()));
}

/** @param {HTMLCanvasElement} canvas @returns {CanvasRenderingContext2D} */
export function context2d(canvas) {
  const context = canvas.getContext("2d");
  if (!context) throw new Error("this browser has no 2D canvas");
  return context;
}
