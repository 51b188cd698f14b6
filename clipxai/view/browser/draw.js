// What is drawn on a 2D canvas: maps and colour bars, hatching, outlines and cross-hairs.
// @ts-check
import { colourIndex, ontoImage } from "./interpolate.js";

/** @import { Grid, Scale } from "./interpolate.js" */
/** @typedef {{row: number, column: number}} Place */

const LITTLE = 130; // pixels across of a map on which a line is thin
const [RING, LEAST_RING] = [0.3, 2.5]; // radius, of a cell's side, and in pixels
const [INK, PAPER] = ["#202020", "#fff"]; // of lines that show on every colour

/**
 * Paint a map over a whole canvas; transparent where the grid does not reach.
 * @param {HTMLCanvasElement} canvas
 * @param {ArrayLike<number>} scores
 * @param {Grid} grid
 * @param {Scale} scale
 * @param {Uint8Array} table 256 × RGB
 * @param {boolean} smooth
 */
export function paintMap(canvas, scores, grid, scale, table, smooth) {
  const context = context2d(canvas);
  const { height, width } = canvas;
  const values = ontoImage(scores, grid, height, width, smooth);
  const picture = context.createImageData(width, height);
  const pixels = new Uint32Array(picture.data.buffer); // four bytes at a time
  const colours = new Uint32Array(opaque(table).buffer);
  for (let i = 0; i < values.length; i++) {
    if (!Number.isNaN(values[i])) pixels[i] = colours[colourIndex(values[i], scale)];
  }
  context.putImageData(picture, 0, 0);
}

/**
 * Colours RGB as RGBA.
 * @param {Uint8Array} table
 */
function opaque(table) {
  const colours = new Uint8ClampedArray((table.length / 3) * 4).fill(255);
  for (let i = 0; i < table.length; i++) colours[i + Math.floor(i / 3)] = table[i];
  return colours;
}

/**
 * A horizontal colour bar over a whole canvas.
 * @param {HTMLCanvasElement} canvas
 * @param {Uint8Array} table
 */
export function paintBar(canvas, table) {
  const context = context2d(canvas);
  canvas.width = 256;
  canvas.height = 1;
  context.putImageData(new ImageData(opaque(table), 256, 1), 0, 0);
}

/**
 * The rectangle of a cell in canvas pixels: x, y, width, height.
 * @param {Grid} grid
 * @param {Place} cell
 * @param {Pick<HTMLCanvasElement, "height" | "width">} canvas
 * @returns {[number, number, number, number]}
 */
export function cellBox(grid, cell, canvas) {
  const [top, left, bottom, right] = grid.box;
  const [H, W] = grid.image_size;
  const height = ((bottom - top) / grid.height / H) * canvas.height;
  const width = ((right - left) / grid.width / W) * canvas.width;
  const [x, y] = [(left / W) * canvas.width, (top / H) * canvas.height];
  return [x + cell.column * width, y + cell.row * height, width, height];
}

/**
 * Dim what the grid does not cover.
 * @param {HTMLCanvasElement} canvas
 * @param {Grid} grid
 * @param {number} brightness
 */
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

/**
 * Hatch patches whose score is not a number.
 * @param {HTMLCanvasElement} canvas
 * @param {ArrayLike<number>} scores
 * @param {Grid} grid
 */
export function hatchNaN(canvas, scores, grid) {
  const context = context2d(canvas);
  context.strokeStyle = "#777";
  context.lineWidth = 1;
  for (let i = 0; i < scores.length; i++) {
    if (!Number.isNaN(scores[i])) continue;
    const cell = { row: Math.floor(i / grid.width), column: i % grid.width };
    const [left, top, across, down] = cellBox(grid, cell, canvas);
    const [x, y] = [Math.round(left), Math.round(top)]; // else neighbours would leave a seam
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
 * @param {HTMLCanvasElement} canvas
 * @param {number[]} points x, y, x, y … in image pixels
 * @param {[number, number]} imageSize
 */
export function strokeOutline(canvas, points, [H, W]) {
  const path = new Path2D();
  for (let i = 0; i < points.length; i += 2) {
    path.lineTo((points[i] / W) * canvas.width, (points[i + 1] / H) * canvas.height);
  }
  path.closePath();
  // a thick line would hide a thing on a little map
  strokeTwice(
    context2d(canvas),
    path,
    canvas.width < LITTLE * pixelRatio() ? [2, 0.9] : [3.6, 1.6],
  );
}

/**
 * Frame a cell; its cross-hair runs over the whole image.
 * @param {HTMLCanvasElement} canvas
 * @param {Grid} grid
 * @param {Place} cell
 * @param {boolean} pinned
 */
export function markCell(canvas, grid, cell, pinned) {
  const context = context2d(canvas);
  const [x, y, width, height] = cellBox(grid, cell, canvas);
  const [middle, centre] = [x + width / 2, y + height / 2];
  const lines = new Path2D();
  for (const [x1, y1, x2, y2] of [
    [middle, 0, middle, y],
    [middle, y + height, middle, canvas.height],
    [0, centre, x, centre],
    [x + width, centre, canvas.width, centre],
  ]) {
    lines.moveTo(x1, y1);
    lines.lineTo(x2, y2);
  }
  context.lineWidth = pixelRatio();
  context.strokeStyle = "rgba(255, 255, 255, 0.55)";
  context.setLineDash(pinned ? [] : [3, 3]);
  context.stroke(lines);
  context.setLineDash([]);
  const frame = new Path2D();
  frame.rect(x, y, width, height);
  strokeTwice(context, frame, [3.6, 1.6]);
}

/**
 * Frame a cell more heavily: the one that is asked.
 * @param {HTMLCanvasElement} canvas
 * @param {Grid} grid
 * @param {Place} cell
 */
export function frameCell(canvas, grid, cell) {
  const frame = new Path2D();
  frame.rect(...cellBox(grid, cell, canvas));
  strokeTwice(context2d(canvas), frame, [4, 2]);
}

/**
 * A small ring in a cell, which leaves it to be seen.
 * @param {HTMLCanvasElement} canvas
 * @param {Grid} grid
 * @param {Place} cell
 */
export function ringCell(canvas, grid, cell) {
  const [x, y, width, height] = cellBox(grid, cell, canvas);
  const ring = new Path2D();
  const radius = Math.max(RING * Math.min(width, height), LEAST_RING * pixelRatio());
  ring.arc(x + width / 2, y + height / 2, radius, 0, 2 * Math.PI);
  strokeTwice(context2d(canvas), ring, [2.6, 1.2]);
}

/**
 * A light line on a dark one.
 * @param {CanvasRenderingContext2D} context
 * @param {Path2D} path
 * @param {[number, number]} widths
 */
export function strokeTwice(context, path, [dark, light]) {
  context.lineJoin = "round";
  context.strokeStyle = INK;
  context.lineWidth = dark * pixelRatio();
  context.stroke(path);
  context.strokeStyle = PAPER;
  context.lineWidth = light * pixelRatio();
  context.stroke(path);
}

/** Device pixels of one CSS pixel. */
export function pixelRatio() {
  return globalThis.devicePixelRatio || 1;
}

/**
 * How many times as large as it was laid out an element is seen, as in lecture mode.
 * @param {Element | null} node
 */
export function zoomOf(node) {
  const zoom = /** @type {{currentCSSZoom?: number} | null} */ (node)?.currentCSSZoom;
  return zoom ?? 1;
}

/**
 * Give a canvas as many pixels as the screen shows of it, which also clears it.
 * @param {HTMLCanvasElement} canvas
 */
export function fitToScreen(canvas) {
  const fine = pixelRatio() * zoomOf(canvas);
  canvas.width = Math.max(1, Math.round(canvas.clientWidth * fine));
  canvas.height = Math.max(1, Math.round(canvas.clientHeight * fine));
}

/** @param {HTMLCanvasElement} canvas */
export function context2d(canvas) {
  const context = canvas.getContext("2d");
  if (!context) throw new Error("this browser has no 2D canvas");
  return context;
}
