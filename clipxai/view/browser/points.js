// What is drawn over a map from a threshold? A mask, or the points one would give to SAM: the
// hottest cells of a map as foreground, as many of the coldest as background
// (`Explanation.points`).
// @ts-check
import { context2d } from "./draw.js";
import { ontoImage } from "./interpolate.js";

/** @import { Grid } from "./interpolate.js" */
/** @typedef {{x: number, y: number, label: 0 | 1}} Point  in pixels of the image */

const SHADE = [0, 0, 0, 190]; // over what stays below the threshold

/**
 * Values brought to 0…1 as Python does it, in single precision; NaN stays.
 * @param {ArrayLike<number>} values
 */
export function minmax(values) {
  let [low, high] = [Infinity, -Infinity];
  for (let i = 0; i < values.length; i++) {
    if (values[i] < low) low = values[i];
    if (values[i] > high) high = values[i];
  }
  return Float32Array.from(values, (value) => (value - low) / (high - low));
}

/**
 * Points of a map that varies, the map averaged over 2 × 2 patches first; cells that are not known
 * are left out.
 * @param {ArrayLike<number>} scores
 * @param {Grid} grid
 * @param {number} threshold
 * @returns {Point[]}
 */
export function pointsOf(scores, grid, threshold) {
  const { height, width, box, image_size } = grid;
  const [h, w] = [Math.max(1, height >> 1), Math.max(1, width >> 1)];
  const [top, left, bottom, right] = box;
  const [H, W] = image_size;
  /** @type {Grid} */
  const alone = { height, width, box: [0, 0, height, width], image_size: [height, width] };
  const coarse = minmax(ontoImage(scores, alone, h, w, true));
  const known = [...coarse.keys()].filter((cell) => !Number.isNaN(coarse[cell]));
  const order = known.sort((a, b) => coarse[a] - coarse[b]);
  const hot = coarse.filter((value) => value >= Math.fround(threshold)).length;
  const count = Math.min(hot, order.length >> 1);
  const chosen = [...order.slice(order.length - count), ...order.slice(0, count)];
  return chosen.map((cell, n) => ({
    x: Math.min(left + (((cell % w) + 0.5) * (right - left)) / w, W - 1),
    y: Math.min(top + ((Math.floor(cell / w) + 0.5) * (bottom - top)) / h, H - 1),
    label: n < count ? 1 : 0,
  }));
}

/**
 * Draw points: a white + for foreground, a dark − for background.
 * @param {HTMLCanvasElement} canvas
 * @param {Point[]} points
 * @param {[number, number]} imageSize
 */
export function drawPoints(canvas, points, [H, W]) {
  const context = context2d(canvas);
  const radius = Math.max(5, canvas.width / 50);
  context.lineWidth = radius / 3;
  for (const { x, y, label } of points) {
    const [across, down] = [(x / W) * canvas.width, (y / H) * canvas.height];
    const [fill, ink] = label ? ["#fff", "#111"] : ["#111", "#fff"];
    const disc = new Path2D();
    disc.arc(across, down, radius, 0, 2 * Math.PI);
    context.fillStyle = fill;
    context.strokeStyle = ink;
    context.fill(disc);
    context.stroke(disc);
    const sign = new Path2D();
    sign.moveTo(across - radius / 2, down);
    sign.lineTo(across + radius / 2, down);
    if (label) {
      sign.moveTo(across, down - radius / 2);
      sign.lineTo(across, down + radius / 2);
    }
    context.stroke(sign);
  }
}

/**
 * Leave bright what reaches the threshold (`Explanation.mask`, drawn with `side` pixels on the
 * longer side) and dim the rest.
 * @param {HTMLCanvasElement} canvas
 * @param {ArrayLike<number>} scores
 * @param {Grid} grid
 * @param {number} threshold
 * @param {number} side
 */
export function drawMask(canvas, scores, grid, threshold, side) {
  const longest = Math.max(...grid.image_size);
  const [height, width] = grid.image_size.map((length) =>
    Math.max(1, Math.round((side * length) / longest)),
  );
  const heat = minmax(ontoImage(scores, grid, height, width, true));
  drawShade(canvas, heat, threshold, [height, width]);
}

/**
 * Dim what lies below a threshold.
 * @param {HTMLCanvasElement} canvas
 * @param {ArrayLike<number>} heat of the whole image
 * @param {number} threshold
 * @param {number[]} size
 */
export function drawShade(canvas, heat, threshold, [height, width]) {
  const shade = hidden2d(width, height);
  const picture = shade.createImageData(width, height);
  for (let i = 0; i < heat.length; i++) if (!(heat[i] >= threshold)) picture.data.set(SHADE, 4 * i);
  shade.putImageData(picture, 0, 0);
  context2d(canvas).drawImage(shade.canvas, 0, 0, canvas.width, canvas.height);
}

/**
 * A canvas that is not on the page.
 * @param {number} width
 * @param {number} height
 */
function hidden2d(width, height) {
  const context = new OffscreenCanvas(width, height).getContext("2d");
  if (!context) throw new Error("this browser has no 2D canvas");
  return context;
}
