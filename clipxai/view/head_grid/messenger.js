// What did a head fetch for the whole image, and from where? Arrows over the photo; and what its
// layer wrote into the patches meanwhile.
// @ts-check
import {
  cellBox,
  context2d,
  fitToScreen,
  pixelRatio,
  strokeTwice,
  zoomOf,
} from "../browser/draw.js";
import { element } from "../browser/element.js";
import { fill } from "../browser/number.js";
import { createHeading, createPhotoPanel } from "../browser/picture.js";
import { focused } from "../browser/state.js";

/** @import { MapSpec } from "../browser/panel.js" */
/** @import { Panel } from "../browser/picture.js" */
/** @import { Cell, Store } from "../browser/state.js" */
/** @import { HeadArrays, HeadGridHeader, HeadState } from "./types.js" */
/** @typedef {{x: number, y: number}} Point in parts of the picture's width and height */

const MOST = 8; // arrows
const [THIN, THICK, POINT, RIM] = [1.2, 7, 7, 2]; // pixels of a shaft, a point and around both
const ROOMY = 230; // pixels of a picture; arrows on a smaller one are finer
/** @type {Point[]} */
const PLACES = [0, 1].flatMap((y) => [0, 0.5, 1].map((x) => ({ x, y })));

export const MESSENGER_STYLE = `
.messenger .photo img { filter: grayscale(1); }
.gathers {
  position: absolute; margin: 0; padding: 0 8px; white-space: nowrap; border-radius: 10px;
  font-size: 13px; font-weight: 600; line-height: 20px; color: #fff; background: #202020;
  outline: 1px solid #fff; pointer-events: none;
}
@container (max-width: 540px) {
  .head_grid .messenger .photo { display: grid; }
  .messenger .photo + .panel { display: none; }
}
.messenger .grid :is(.bias, .ffn) { display: none; }
`;

/**
 * Numbers of the patches with the largest shares, added or taken away, the largest first.
 * @param {Float32Array} values
 */
export function strongest(values) {
  const told = (/** @type {number} */ n) => Number.isFinite(values[n]) && values[n] !== 0;
  const by = (/** @type {number} */ a, /** @type {number} */ b) =>
    Math.abs(values[b]) - Math.abs(values[a]) || a - b;
  return [...values.keys()].filter(told).sort(by).slice(0, MOST);
}

/**
 * The place at the rim that is farthest from all of these.
 * @param {Point[]} points
 */
export function farthest(points) {
  const apart = (/** @type {Point} */ corner) =>
    Math.min(...points.map(({ x, y }) => Math.hypot(x - corner.x, y - corner.y)));
  return PLACES.reduce((best, corner) => (apart(corner) > apart(best) ? corner : best));
}

/**
 * What a layer wrote into every patch.
 * @param {HeadGridHeader} header
 * @param {HeadArrays} arrays
 * @param {number} text
 * @param {number} layer
 * @returns {Pick<MapSpec, "title" | "subtitle" | "remark" | "values">}
 */
export function written({ texts, layers, grids, words, remarks }, arrays, text, layer) {
  const size = grids[0].height * grids[0].width;
  const start = (layer * texts.length + text) * size;
  const { inside, outside, mean } = meansOf(arrays, text * layers + layer);
  const known = Number.isFinite(inside) && Number.isFinite(outside);
  return {
    title: fill(words.written_by, { layer }),
    subtitle: known ? fill(words.on_it, { inside, outside }) : fill(words.on_all, { mean }),
    remark: remarks[arrays.remarks_written[text * layers + layer]],
    values: arrays.written.subarray(start, start + size),
  };
}

/**
 * @param {HeadArrays} arrays
 * @param {number} at layer of a text
 */
function meansOf({ written_on }, at) {
  const [inside, outside, mean] = written_on.subarray(3 * at, 3 * at + 3);
  return { inside, outside, mean };
}

/**
 * What the chosen head fetched and its layer wrote, in a sentence; another one for each that is
 * pointed at would break its lines anew.
 * @param {HeadGridHeader} header
 * @param {HeadArrays} arrays
 * @param {Pick<HeadState, "text" | "at">} state
 */
export function messageOf(header, arrays, { text, at }) {
  const { texts, layers, heads, messages, gathers } = header;
  const [layer, head] = [Math.floor(at / heads), at % heads];
  const row = text * layers + layer;
  const fetched = arrays.from_patches[at * texts.length + text];
  const told = { text: texts[text], gathers, layer, head, fetched };
  const on_it = arrays.fetched_on[row * heads + head];
  return fill(messages[text], { ...told, on_it, ...meansOf(arrays, row) });
}

/**
 * The photo, and for a messenger the arrows over it.
 * @param {HeadGridHeader} header
 * @param {Store<HeadState>} store
 * @param {() => {values: Float32Array, total: number}} fetched what the shown head fetched
 * @returns {Panel}
 */
export function createFetched(header, store, fetched) {
  const { words, grids } = header;
  const photo = createPhotoPanel(header, store);
  const arrows = element("canvas", { className: "layer" });
  const gathers = element("span", { className: "gathers", hidden: true }, header.gathers);
  photo.node.querySelector(".picture")?.append(arrows, gathers);
  const caption = /** @type {HTMLElement} */ (photo.node.querySelector("figcaption"));
  const head = (/** @type {string} */ title, /** @type {string} */ subtitle) =>
    caption.replaceChildren(...createHeading(title, subtitle).children);
  const middle = (/** @type {number} */ n) => {
    const { width } = grids[0];
    const cell = { row: Math.floor(n / width), column: n % width };
    const [x, y, wide, high] = cellBox(grids[0], cell, { width: 1, height: 1 });
    return { x: x + wide / 2, y: y + high / 2 };
  };
  const clear = () => context2d(arrows).clearRect(0, 0, arrows.width, arrows.height);
  let shown = ""; // what the arrows say
  const update = () => {
    const { state } = store;
    photo.update(state);
    const { values, total } = fetched();
    const cell = state.messenger ? focused(state) : null;
    const now = `${state.messenger} ${state.text} ${state.preview ?? state.at} ${placeOf(cell)}`;
    if (now === shown) return;
    shown = now;
    clear();
    gathers.hidden = !state.messenger;
    if (!state.messenger) {
      head(words.image, words.size);
      return;
    }
    const most = strongest(values);
    const sum = most.reduce((so_far, n) => so_far + values[n], 0);
    head(fill(words.strongest, { count: most.length }), fill(words.their_sum, { sum, total }));
    const to = farthest(most.map(middle));
    const [left, top] = [100 * to.x, 100 * to.y];
    Object.assign(gathers.style, {
      left: `${left}%`,
      top: `${top}%`,
      translate: `${-left}% ${-top}%`,
    });
    const label = labelAt(to, gathers, arrows);
    const pointed = cell ? [cell.row * grids[0].width + cell.column] : [];
    const reach = Math.abs(values[most[0]]);
    // the strongest lies on top
    for (const n of [...new Set([...most, ...pointed])].reverse()) {
      drawArrow(arrows, middle(n), label, values[n], reach);
    }
  };
  const draw = () => {
    photo.draw(store.state);
    fitToScreen(arrows);
    shown = "";
    update();
  };
  return { node: photo.node, update, draw };
}

/** @param {Cell | null} cell */
function placeOf(cell) {
  return cell ? `${cell.row} ${cell.column}` : "";
}

/**
 * Where a label at the rim lies: its middle, and half of its width and height.
 * @param {Point} at
 * @param {HTMLElement} label
 * @param {HTMLCanvasElement} canvas
 */
function labelAt({ x, y }, label, canvas) {
  const wide = label.offsetWidth / Math.max(canvas.clientWidth, 1);
  const high = label.offsetHeight / Math.max(canvas.clientHeight, 1);
  return { x: x + (0.5 - x) * wide, y: y + (0.5 - y) * high, wide: wide / 2, high: high / 2 };
}

/**
 * An arrow as wide as its share, red where that adds, blue where it takes away; it ends at the rim
 * of a label.
 * @param {HTMLCanvasElement} canvas
 * @param {Point} from
 * @param {ReturnType<typeof labelAt>} label
 * @param {number} share
 * @param {number} reach the largest share
 */
function drawArrow(canvas, from, label, share, reach) {
  if (!Number.isFinite(share) || !share) return;
  const { width, height } = canvas;
  const [x, y] = [from.x * width, from.y * height];
  const [dx, dy] = [label.x * width - x, label.y * height - y];
  const whole = Math.hypot(dx, dy);
  const under = Math.min(
    (label.wide * width) / Math.abs(dx),
    (label.high * height) / Math.abs(dy),
    1, // a patch below the label has no arrow
  );
  const length = whole * (1 - under);
  if (!length) return;
  const fine = pixelRatio() * zoomOf(canvas) * Math.min(canvas.clientWidth / ROOMY, 1);
  const wide = (THIN + (THICK - THIN) * Math.min(Math.abs(share) / reach, 1)) * fine;
  const point = Math.min(POINT * fine + wide, length);
  const shaft = length - point;
  /** @type {[along: number, aside: number][]} */
  const corners = [
    [0, -wide / 2],
    [shaft, -wide / 2],
    [shaft, -point / 2],
    [length, 0],
    [shaft, point / 2],
    [shaft, wide / 2],
    [0, wide / 2],
  ];
  const arrow = new Path2D();
  for (const [along, aside] of corners) {
    arrow.lineTo(x + (dx * along - dy * aside) / whole, y + (dy * along + dx * aside) / whole);
  }
  arrow.closePath();
  const context = context2d(canvas);
  strokeTwice(context, arrow, [RIM + 1, RIM]);
  context.fillStyle = getComputedStyle(canvas).getPropertyValue(share > 0 ? "--plus" : "--minus");
  context.fill(arrow);
}
