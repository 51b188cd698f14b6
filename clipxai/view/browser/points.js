// Which points would one give to SAM? The hottest cells of a map as foreground, as many of the coldest as background: `Explanation.points`.
// @ts-check
import { context2d, ontoImage } from "./draw.js";

/** @typedef {import("./draw.js").Grid} Grid */

/** Values brought to 0…1 as Python does it, in single precision; NaN stays. @param {ArrayLike<number>} values @returns {Float32Array} */
export function minmax(values) {
  let [low, high] = [Infinity, -Infinity];
  for (let i = 0; i < values.length; i++) {
    if (values[i] < low) low = values[i];
    if (values[i] > high) high = values[i];
  }
  return Float32Array.from(values, (value) => (value - low) / (high - low));
}

/**
 * Points of a map that varies, the map averaged over 2 × 2 patches first.
 * @param {ArrayLike<number>} scores @param {Grid} grid @param {number} threshold @returns {{x: number, y: number, label: 0 | 1}[]} image pixels
 */
export function pointsOf(scores, grid, threshold) {
  const [h, w] = [Math.max(1, grid.height >> 1), Math.max(1, grid.width >> 1)];
  const {
    height,
    width,
    box: [top, left, bottom, right],
    image_size: [H, W],
  } = grid;
  const coarse = minmax(
    ontoImage(
      scores,
      { height, width, box: [0, 0, height, width], image_size: [height, width] },
      h,
      w,
      true,
    ),
  );
  const order = [...coarse.keys()].sort((a, b) => coarse[a] - coarse[b]);
  const count = Math.min(
    coarse.filter((value) => value >= Math.fround(threshold)).length,
    order.length >> 1,
  );
  const chosen = [...order.slice(order.length - count), ...order.slice(0, count)];
  return chosen.map((cell, n) => ({
    x: Math.min(left + (((cell % w) + 0.5) * (right - left)) / w, W - 1),
    y: Math.min(top + ((Math.floor(cell / w) + 0.5) * (bottom - top)) / h, H - 1),
    label: n < count ? 1 : 0,
  }));
}

/** Draw points: a white + for foreground, a dark − for background. @param {HTMLCanvasElement} canvas @param {ReturnType<typeof pointsOf>} points @param {[number, number]} imageSize */
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
    (sign.moveTo(across - radius / 2, down), sign.lineTo(across + radius / 2, down));
    if (label) (sign.moveTo(across, down - radius / 2), sign.lineTo(across, down + radius / 2));
    context.stroke(sign);
  }
}

/**
 * Leave bright what reaches the threshold (`Explanation.mask`, drawn with `side` pixels on the longer side) and dim the rest.
 * @param {HTMLCanvasElement} canvas @param {ArrayLike<number>} scores @param {Grid} grid @param {number} threshold @param {number} side
 */
export function drawMask(canvas, scores, grid, threshold, side) {
  const [H, W] = grid.image_size;
  const [height, width] = [H, W].map((length) =>
    Math.max(1, Math.round((side * length) / Math.max(H, W))),
  );
  const heat = minmax(ontoImage(scores, grid, height, width, true));
  const shade = new OffscreenCanvas(width, height);
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (shade.getContext("2d"));
  const picture = context.createImageData(width, height);
  for (let i = 0; i < heat.length; i++)
    if (!(heat[i] >= threshold)) picture.data.set([0, 0, 0, 190], 4 * i);
  context.putImageData(picture, 0, 0);
  context2d(canvas).drawImage(shade, 0, 0, canvas.width, canvas.height);
}
