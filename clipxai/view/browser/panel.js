// One picture of a figure: the photo, a map over it, its colour bar, and what the patch under the cross-hair says.
// @ts-check
import {
  context2d,
  dimOutside,
  fitToScreen,
  hatchNaN,
  markCell,
  paintBar,
  paintMap,
  strokeOutline,
} from "./draw.js";
import { drawMask, drawPoints, pointsOf } from "./points.js";
import { element, titleOf } from "./shell.js";
import { focused } from "./state.js";
import { format } from "./number.js";

const MAP_SIDE = 360; // pixels a map is computed at on its longer side; the browser does the rest
const DIM = 0.3; // brightness of what the model did not see

/** @typedef {import("./draw.js").Grid} Grid */
/** @typedef {import("./state.js").Cell} Cell */

/**
 * The patch of one grid in which the middle of another grid's patch lies, or null if that lies outside.
 * @param {Cell} cell @param {Grid[]} grids @param {number} target @returns {Cell | null}
 */
export function translate(cell, grids, target) {
  if (cell.grid === target) return cell;
  const {
    box: [top, left, bottom, right],
    height,
    width,
  } = grids[cell.grid];
  return cellAt(
    grids,
    target,
    left + ((cell.column + 0.5) / width) * (right - left),
    top + ((cell.row + 0.5) / height) * (bottom - top),
  );
}

/**
 * The patch at a point of the image, or null where the grid does not reach.
 * @param {Grid[]} grids @param {number} target @param {number} x @param {number} y @returns {Cell | null}
 */
export function cellAt(grids, target, x, y) {
  const {
    box: [top, left, bottom, right],
    height,
    width,
  } = grids[target];
  const row = Math.floor(((y - top) / (bottom - top)) * height);
  const column = Math.floor(((x - left) / (right - left)) * width);
  return row >= 0 && row < height && column >= 0 && column < width
    ? { grid: target, row, column }
    : null;
}

/**
 * Maps of one grid as panels know them: values one after the other, what stands above each, and their scales in every scaling.
 * @param {any} header @param {Record<string, any>} arrays @param {Float32Array} values
 * @param {{text: string, subtitle: string, flat: boolean}[]} titles @param {{scales: any[]}[]} scalings
 */
export function asMaps(header, arrays, values, titles, scalings) {
  const panels = titles.map((title, row) => ({ ...title, row, source: 0, badges: [] }));
  const outlines = Object.fromEntries(titles.map(({ text }) => [text, []]));
  return {
    header: { ...header, panels, scalings, outlines },
    arrays: { ...arrays, maps0: values },
  };
}

/** Whether values, those that are no numbers aside, are all the same. @param {Float32Array} values @returns {boolean} */
export function isFlat(values) {
  const known = values.filter(Number.isFinite);
  return known.every((value) => value === known[0]);
}

/** 1 for the highest score. @param {ArrayLike<number>} values @param {number} value @returns {number} */
export function rankOf(values, value) {
  let rank = 1;
  for (let i = 0; i < values.length; i++) if (values[i] > value) rank++;
  return rank;
}

/** @typedef {{over: (cell: Cell | null) => void, click: (cell: Cell) => void}} Pointing  what the pointer on a patch does; null: on none */

/** Hovering previews, clicking pins. @param {any} store @returns {Pointing} */
export function pointing(store) {
  return {
    over: (cell) => store.dispatch(cell ? { type: "hover", cell } : { type: "leave" }),
    click: (cell) => store.dispatch({ type: "pin", cell }),
  };
}

/** Photo, layers over it, and the pointer. @param {any} header @param {number} source whose grid counts @param {HTMLElement[]} layers
 * @param {Pointing} on */
export function createPicture(header, source, layers, on) {
  const [H, W] = header.grids[0].image_size;
  const photo = element("img", { src: header.photo, alt: "", draggable: false, decoding: "sync" }); // no flash when data change
  const picture = element("div", { className: "picture" }, photo, ...layers);
  picture.style.setProperty("--aspect", String(W / H));
  const under = (/** @type {PointerEvent} */ event) => {
    const area = picture.getBoundingClientRect();
    return cellAt(
      header.grids,
      source,
      ((event.clientX - area.left) / area.width) * W,
      ((event.clientY - area.top) / area.height) * H,
    );
  };
  picture.addEventListener("pointermove", (/** @type {PointerEvent} */ event) =>
    on.over(under(event)),
  );
  picture.addEventListener("pointerleave", () => on.over(null));
  picture.addEventListener("click", (/** @type {PointerEvent} */ event) => {
    const cell = under(event);
    if (cell) on.click(cell);
  });
  return picture;
}

/** Draw pinned and focused patch. @param {HTMLCanvasElement} canvas @param {any} header @param {number} source @param {any} state */
function drawMarks(canvas, header, source, state) {
  context2d(canvas).clearRect(0, 0, canvas.width, canvas.height);
  for (const cell of new Set([state.pinned, focused(state)])) {
    const own = cell && translate(cell, header.grids, source);
    if (own) markCell(canvas, header.grids[source], own, cell === state.pinned);
  }
}

/** The photo itself, in colour. @param {any} header @param {any} store @returns {any} */
export function createPhotoPanel(header, store) {
  const marks = element("canvas", { className: "layer" });
  const [H, W] = header.grids[0].image_size;
  const node = element(
    "figure",
    { className: "panel photo" },
    element("figcaption", {}, element("b", {}, "image"), element("span", {}, `${W} × ${H} pixels`)),
    createPicture(header, 0, [marks], pointing(store)),
  );
  const update = (/** @type {any} */ state) => drawMarks(marks, header, 0, state);
  const draw = (/** @type {any} */ state) => {
    fitToScreen(marks);
    update(state);
  };
  return { node, draw, update };
}

/**
 * One map. `at` reads its score at a patch of any grid (null outside), `read` puts it in words. `take` shows the map of another text in its
 * place, from a header with the same photo and grids: what stands on the page stays, which is faster by far.
 * @param {any} header @param {Record<string, any>} arrays @param {number} n @param {any} store
 */
export function createMapPanel(header, arrays, n, store) {
  const { source } = header.panels[n];
  const grid = header.grids[source];
  const size = grid.height * grid.width;
  /** @type {any} */
  let spec;
  /** @type {Float32Array} */
  let values;
  const [map, fixed, marks] = ["layer map", "layer", "layer"].map((className) =>
    element("canvas", { className }),
  );
  const note = element("span", { className: "note" });
  const picture = createPicture(header, source, [map, fixed, marks], pointing(store));
  const caption = element("figcaption");
  const bar = element("canvas", { className: "bar" });
  const numbers = element("div", { className: "numbers" });
  const readout = element("output", { className: "readout" });
  const badges = element("div", { className: "badges" });
  const node = element(
    "figure",
    { className: "panel" },
    caption,
    picture,
    bar,
    numbers,
    badges,
    readout,
  );
  const at = (/** @type {Cell} */ cell) => {
    const own = translate(cell, header.grids, source);
    return own && values[own.row * grid.width + own.column];
  };
  const read = (/** @type {Cell} */ cell) => {
    const value = at(cell);
    if (value === null) return "outside this map";
    return Number.isNaN(value) || spec.flat
      ? format(value)
      : `${format(value)}, rank ${rankOf(values, value)} of ${size}`;
  };
  let painted = ""; // which options the map on the canvas was painted with
  let decorated = ""; // the same of what is drawn over it
  const update = (/** @type {any} */ state) => {
    const wanted = `${state.scaling} ${state.smooth}`;
    if (painted !== wanted) paint(state);
    painted = wanted;
    const over = `${state.overlay} ${state.threshold}`;
    if (decorated !== over) decorate(state);
    decorated = over;
    const cell = focused(state);
    readout.textContent = cell ? read(cell) : "\u00a0";
    drawMarks(marks, header, source, state);
  };
  const paint = (/** @type {any} */ state) => {
    const scale = header.scalings[state.scaling].scales[n];
    const [H, W] = grid.image_size;
    map.width = Math.max(1, Math.round((MAP_SIDE * W) / Math.max(H, W)));
    map.height = Math.max(1, Math.round((MAP_SIDE * H) / Math.max(H, W)));
    paintMap(map, values, grid, scale, arrays[scale.colours], state.smooth);
    paintBar(bar, arrays[scale.colours]);
    const shown =
      scale.high > scale.low ? [scale.low, (scale.low + scale.high) / 2, scale.high] : [scale.low];
    numbers.replaceChildren(...shown.map((value) => element("span", {}, format(value))));
    bar.style.visibility = numbers.style.visibility = values.some(Number.isFinite) ? "" : "hidden";
  };
  const decorate = (/** @type {any} */ state) => {
    context2d(fixed).clearRect(0, 0, fixed.width, fixed.height);
    dimOutside(fixed, grid, DIM);
    hatchNaN(fixed, values, grid);
    const known = !spec.flat && values.every(Number.isFinite);
    if (known && state.overlay === 1) drawMask(fixed, values, grid, state.threshold, MAP_SIDE);
    for (const points of header.outlines[spec.text]) strokeOutline(fixed, points, grid.image_size);
    if (known && state.overlay === 2)
      drawPoints(fixed, pointsOf(values, grid, state.threshold), grid.image_size);
  };
  /** Everything, also what only time or size can spoil. @param {any} state */
  const draw = (state) => {
    painted = decorated = "";
    fitToScreen(fixed);
    fitToScreen(marks);
    update(state);
  };
  /** @param {any} newHeader @param {Record<string, any>} newArrays */
  const take = (newHeader, newArrays) => {
    [header, arrays, painted, decorated] = [newHeader, newArrays, "", ""];
    spec = header.panels[n];
    values = arrays[`maps${source}`].subarray(spec.row * size, (spec.row + 1) * size);
    caption.title = `${titleOf(spec.text)}\n${spec.subtitle}`;
    caption.replaceChildren(
      element("b", {}, titleOf(spec.text)),
      element("span", {}, spec.subtitle),
    );
    badges.replaceChildren(
      ...spec.badges.map((/** @type {any} */ badge) =>
        element("span", { title: badge.meaning }, `${badge.name} ${badge.value}`),
      ),
    );
    note.textContent = values.some(Number.isFinite) ? "no variation" : "no finite value";
    if (spec.flat) picture.append(note);
    else note.remove();
  };
  take(header, arrays);
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
    get values() {
      return values;
    },
  };
}
