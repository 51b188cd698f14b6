// One map of a figure: it lies over the photo, with its colour bar, and says what the patch under
// the cross-hair has.
// @ts-check
import { context2d, dimOutside, fitToScreen, hatchNaN } from "./draw.js";
import { paintBar, paintMap, strokeOutline } from "./draw.js";
import { element } from "./element.js";
import { fill, format } from "./number.js";
import { createHeading, createPicture, drawMarks, pointing, translate } from "./picture.js";
import { drawMask, drawPoints, drawShade, pointsOf } from "./points.js";
import { focused } from "./state.js";

/** @import { Scale } from "./interpolate.js" */
/** @import { PictureHeader } from "./picture.js" */
/** @import { Cell, State, Store } from "./state.js" */
/**
 * @typedef {State & {scaling: number, smooth: boolean, overlay?: number, threshold?: number}}
 *   MapState
 * @typedef {object} Refined  a mask (h, w), 1 inside
 * @property {Uint8Array} mask
 * @property {number[]} size
 * @property {number} threshold of the overlay, from which it was made
 * @typedef {object} MapSpec  a map, and what stands around it
 * @property {string} title
 * @property {string} subtitle
 * @property {number} source number of its grid
 * @property {Float32Array} values
 * @property {string} remark stands on a map that has nothing to show, and says why; else empty
 * @property {Scale[]} scales one for each scaling
 * @property {string} [verdict] stands below the map while no patch is in view
 * @property {(threshold: number) => string} [cut] stands there while the map is cut into a mask
 * @property {string} [told] of the map, for who rests on its title
 * @property {number[][]} [outlines] x, y, x, y … in pixels of the image
 * @property {Refined} [refined] what refinement made of it
 * @typedef {object} MapWords
 * @property {string} outside
 * @property {string} ranked
 * @typedef {PictureHeader & {words: MapWords, dim: number}} MapHeader  `dim` is the brightness of
 *   what the model did not see
 * @typedef {ReturnType<typeof createMapPanel>} MapPanel
 */

const MAP_SIDE = 360; // pixels a map is computed at on its longer side; the browser does the rest
const [MASK, POINTS] = [1, 2]; // overlays

/**
 * 1 for the highest score.
 * @param {ArrayLike<number>} values
 * @param {number} value
 */
export function rankOf(values, value) {
  let rank = 1;
  for (let i = 0; i < values.length; i++) if (values[i] > value) rank++;
  return rank;
}

/**
 * One map. `at` reads its score at a patch, also of another grid (null outside), `read` in words.
 * `take` shows another map of the same grid in its place: what stands on the page stays, which is
 * faster by far.
 * @param {MapHeader} header
 * @param {Record<string, Uint8Array | Float32Array>} arrays with the colour tables
 * @param {MapSpec} first
 * @param {Store<MapState>} store
 */
export function createMapPanel({ photo, grids, words, dim }, arrays, first, store) {
  const { source } = first;
  const grid = grids[source];
  let spec = first;
  const layers = ["layer map", "layer", "layer"].map((className) =>
    element("canvas", { className }),
  );
  const [map, fixed, marks] = layers;
  const note = element("span", { className: "note" });
  const picture = createPicture({ photo, grids }, source, layers, pointing(store));
  const caption = element("figcaption");
  const bar = element("canvas", { className: "bar" });
  const numbers = element("div", { className: "numbers" });
  const readout = element("output", { className: "readout" });
  const around = [caption, picture, bar, numbers, readout];
  const node = element("figure", { className: "panel" }, ...around);
  const at = (/** @type {Cell} */ cell) => {
    const own = translate(cell, grids, source);
    return own && spec.values[own.row * grid.width + own.column];
  };
  const read = (/** @type {Cell} */ cell) => {
    const value = at(cell);
    if (value === null) return words.outside;
    if (Number.isNaN(value) || spec.remark) return format(value);
    const count = spec.values.filter(Number.isFinite).length;
    return fill(words.ranked, { value, rank: rankOf(spec.values, value), count });
  };
  const paint = (/** @type {MapState} */ state) => {
    const scale = spec.scales[state.scaling];
    const table = /** @type {Uint8Array} */ (arrays[scale.colours]);
    const [H, W] = grid.image_size;
    const [wide, high] = [W, H].map((side) => Math.round((MAP_SIDE * side) / Math.max(H, W)));
    if (map.width !== wide || map.height !== high) {
      // set, they clear the canvas, which takes as long as to paint
      Object.assign(map, { width: Math.max(1, wide), height: Math.max(1, high) });
    }
    paintMap(map, spec.values, grid, scale, table, state.smooth);
    paintBar(bar, table);
    numbers.replaceChildren(...ticksOf(scale).map((value) => element("span", {}, format(value))));
    // the middle can be guessed, the ends cannot: they take two lines
    const spills = () => numbers.scrollWidth > numbers.clientWidth;
    numbers.style.flexWrap = "";
    if (spills()) numbers.querySelector("span:nth-child(2):not(:last-child)")?.remove();
    if (spills()) numbers.style.flexWrap = "wrap";
    const known = spec.values.some(Number.isFinite);
    bar.style.visibility = numbers.style.visibility = known ? "" : "hidden";
  };
  const decorate = (/** @type {MapState} */ { overlay, threshold = 0 }) => {
    const { values, outlines = [], remark, refined } = spec;
    context2d(fixed).clearRect(0, 0, fixed.width, fixed.height);
    dimOutside(fixed, grid, dim);
    // a map without variation has no region
    const shown = remark ? values.map(() => NaN) : values;
    if (overlay === MASK) drawMask(fixed, shown, grid, threshold, MAP_SIDE);
    // one of another threshold would say what is not so
    const current = overlay === POINTS && !remark && refined?.threshold === threshold;
    if (refined && current) drawShade(fixed, refined.mask, 1, refined.size);
    hatchNaN(fixed, values, grid);
    for (const points of outlines) strokeOutline(fixed, points, grid.image_size);
    if (remark || overlay !== POINTS) return;
    drawPoints(fixed, pointsOf(values, grid, threshold), grid.image_size);
  };
  let painted = ""; // which options the map on the canvas was painted with
  let decorated = ""; // the same of what is drawn over it
  const update = (/** @type {MapState} */ state) => {
    const wanted = `${state.scaling} ${state.smooth}`;
    if (painted !== wanted) paint(state);
    painted = wanted;
    const over = `${state.overlay} ${state.threshold}`;
    if (decorated !== over) decorate(state);
    decorated = over;
    const cell = focused(state);
    const cut = state.overlay === MASK && spec.cut?.(state.threshold ?? 0);
    readout.textContent = cell ? read(cell) : cut || spec.verdict || "\u00a0";
    readout.classList.toggle("way", !cell && Boolean(cut || spec.verdict));
    drawMarks(marks, grids, source, state);
  };
  const draw = (/** @type {MapState} */ state) => {
    painted = decorated = "";
    fitToScreen(fixed);
    fitToScreen(marks);
    update(state);
  };
  /** @param {MapSpec} next */
  const take = (next) => {
    spec = next;
    painted = decorated = "";
    caption.title = [spec.title, spec.subtitle, spec.told].filter(Boolean).join("\n");
    caption.replaceChildren(...createHeading(spec.title, spec.subtitle).children);
    note.textContent = spec.remark;
    if (spec.remark) picture.append(note);
    else note.remove();
  };
  take(first);
  return {
    node,
    grid,
    at,
    read,
    draw,
    update,
    take,
    get spec() {
      return spec;
    },
  };
}

/**
 * The numbers below a colour bar.
 * @param {Scale} scale
 */
function ticksOf({ low, high }) {
  return high > low ? [low, (low + high) / 2, high] : [low];
}
