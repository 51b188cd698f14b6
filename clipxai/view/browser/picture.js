// One picture of a figure: the photo, what lies over it, and the patch under the pointer.
// @ts-check
import { context2d, fitToScreen, markCell, strokeOutline } from "./draw.js";
import { element } from "./element.js";
import { focused } from "./state.js";

/** @import { Grid } from "./interpolate.js" */
/** @import { Cell, State, Store } from "./state.js" */
/**
 * @typedef {object} PictureHeader  a photo and the patches on it
 * @property {string} photo data URL
 * @property {Grid[]} grids
 * @property {Record<"image" | "size", string>} words
 * @typedef {object} Pointing  what the pointer on a patch does; null: on none
 * @property {(cell: Cell | null) => void} over
 * @property {(cell: Cell) => void} click
 * @typedef {{node: HTMLElement, draw: (state: State) => void, update: (state: State) => void}}
 *   Panel `update` after another state, `draw` also what only time or size can spoil
 */

/**
 * The patch of one grid in which the middle of another grid's patch lies, or null if that lies
 * outside.
 * @param {Cell} cell
 * @param {Grid[]} grids
 * @param {number} target
 */
export function translate(cell, grids, target) {
  if (cell.grid === target) return cell;
  const { box, height, width } = grids[cell.grid];
  const [top, left, bottom, right] = box;
  const x = left + ((cell.column + 0.5) / width) * (right - left);
  const y = top + ((cell.row + 0.5) / height) * (bottom - top);
  return cellAt(grids, target, x, y);
}

/**
 * The patch at a point of the image, or null where the grid does not reach.
 * @param {Grid[]} grids
 * @param {number} target
 * @param {number} x
 * @param {number} y
 * @returns {Cell | null}
 */
export function cellAt(grids, target, x, y) {
  const { box, height, width } = grids[target];
  const [top, left, bottom, right] = box;
  const row = Math.floor(((y - top) / (bottom - top)) * height);
  const column = Math.floor(((x - left) / (right - left)) * width);
  const inside = row >= 0 && row < height && column >= 0 && column < width;
  return inside ? { grid: target, row, column } : null;
}

/**
 * Hovering previews, clicking pins.
 * @param {Store<State>} store
 * @returns {Pointing}
 */
export function pointing(store) {
  return {
    over: (cell) => store.dispatch(cell ? { type: "hover", cell } : { type: "leave" }),
    click: (cell) => store.dispatch({ type: "pin", cell }),
  };
}

/**
 * Photo, layers over it, and the pointer.
 * @param {Pick<PictureHeader, "photo" | "grids">} header
 * @param {number} source whose grid counts
 * @param {HTMLElement[]} layers
 * @param {Pointing} on
 */
export function createPicture({ photo, grids }, source, layers, on) {
  const [H, W] = grids[0].image_size;
  // decoded at once, or data that change would flash
  const image = element("img", { src: photo, alt: "", draggable: false, decoding: "sync" });
  const picture = element("div", { className: "picture" }, image, ...layers);
  picture.style.setProperty("--aspect", String(W / H));
  const under = (/** @type {MouseEvent} */ event) => {
    const area = picture.getBoundingClientRect();
    const x = ((event.clientX - area.left) / area.width) * W;
    const y = ((event.clientY - area.top) / area.height) * H;
    return cellAt(grids, source, x, y);
  };
  picture.addEventListener("pointermove", (event) => on.over(under(event)));
  picture.addEventListener("pointerleave", () => on.over(null));
  picture.addEventListener("click", (event) => {
    const cell = under(event);
    if (cell) on.click(cell);
  });
  return picture;
}

/**
 * Draw pinned and focused patch.
 * @param {HTMLCanvasElement} canvas
 * @param {Grid[]} grids
 * @param {number} source whose grid counts
 * @param {State} state
 */
export function drawMarks(canvas, grids, source, state) {
  context2d(canvas).clearRect(0, 0, canvas.width, canvas.height);
  for (const cell of new Set([state.pinned, focused(state)])) {
    const own = cell && translate(cell, grids, source);
    if (own) markCell(canvas, grids[source], own, cell === state.pinned);
  }
}

/**
 * Words above a picture.
 * @param {string} title
 * @param {string} subtitle
 */
export function createHeading(title, subtitle) {
  const below = subtitle ? [element("span", {}, subtitle)] : [];
  return element("figcaption", {}, element("b", {}, title), ...below);
}

/**
 * The photo itself, in colour.
 * @param {PictureHeader} header
 * @param {Store<State>} store
 * @param {() => number[][]} [outlines] what is outlined on it now, x, y, x, y … in pixels of the
 *   image
 * @returns {Panel}
 */
export function createPhotoPanel(header, store, outlines = () => []) {
  const { words, grids } = header;
  const marks = element("canvas", { className: "layer" });
  const picture = createPicture(header, 0, [marks], pointing(store));
  const heading = createHeading(words.image, words.size);
  const node = element("figure", { className: "panel photo" }, heading, picture);
  const update = (/** @type {State} */ state) => {
    drawMarks(marks, grids, 0, state);
    for (const line of outlines()) strokeOutline(marks, line, grids[0].image_size);
  };
  const draw = (/** @type {State} */ state) => {
    fitToScreen(marks);
    update(state);
  };
  return { node, draw, update };
}
