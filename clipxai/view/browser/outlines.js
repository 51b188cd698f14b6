// How does the outline of a thing lie on little maps? On one canvas over all of them.
// @ts-check
import { context2d, fitToScreen, pixelRatio, strokeTwice } from "./draw.js";

/** @import { Grid } from "./interpolate.js" */

/** @type {[dark: number, light: number]} */
const WIDTHS = [1.7, 0.8]; // of a line on a little map
/** @type {[dark: number, light: number]} */
const WIDER = [2.6, 1.3]; // where it has room
const WIDE_FROM = 60; // pixels across of a map from which on
/** @type {[dark: number, light: number]} */
const THIN = [0.7, 0.7]; // where a rim would cover what it goes around
const TINY = 44; // pixels across of a map up to which
export const OUTLINE_STYLE = `
.outlines {
  position: absolute; inset: 0; width: 100%; height: 100%; pointer-events: none;
}
`;

/**
 * Lines over maps of one cell a patch.
 * @param {HTMLCanvasElement} canvas over all maps
 * @param {number[][]} lines closed, x, y, x, y … in pixels of the image
 * @param {Pick<Grid, "height" | "width" | "box">} grid
 * @param {{width: number, height: number}} area of all maps, in cells
 * @param {[x: number, y: number][]} corners the top left one of every map, in cells
 */
export function drawOutlines(canvas, lines, { height, width, box }, area, corners) {
  fitToScreen(canvas);
  const [top, left, bottom, right] = box;
  const [across, down] = [canvas.width / area.width, canvas.height / area.height];
  const path = new Path2D();
  for (const [x, y] of corners) {
    const place = (/** @type {number} */ u, /** @type {number} */ v) =>
      /** @type {[number, number]} */ ([
        (x + inside((u - left) / (right - left)) * width) * across,
        (y + inside((v - top) / (bottom - top)) * height) * down,
      ]);
    for (const line of lines) {
      if (isBeyond(line, [left, right, top, bottom])) continue;
      path.moveTo(...place(line[0], line[1]));
      for (let i = 2; i < line.length; i += 2) path.lineTo(...place(line[i], line[i + 1]));
      path.closePath();
    }
  }
  const side = (canvas.width / area.width) * width;
  const fits = side < TINY * pixelRatio() ? THIN : side < WIDE_FROM * pixelRatio() ? WIDTHS : WIDER;
  strokeTwice(context2d(canvas), path, fits);
}

/**
 * Whether a line lies wholly beyond the patches, on one side.
 * @param {number[]} line
 * @param {[left: number, right: number, top: number, bottom: number]} sides
 */
function isBeyond(line, [left, right, top, bottom]) {
  const [x, y] = [0, 1].map((odd) => line.filter((_, i) => i % 2 === odd));
  const all = (/** @type {number[]} */ at, /** @type {number} */ low, /** @type {number} */ high) =>
    at.every((one) => one <= low) || at.every((one) => one >= high);
  return all(x, left, right) || all(y, top, bottom);
}

/**
 * What lies beyond the patches stays at their rim.
 * @param {number} share
 */
function inside(share) {
  return Math.min(Math.max(share, 0), 1);
}
