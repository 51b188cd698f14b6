// How are patches painted? By clicking, by dragging over several, or with Space.
// @ts-check
import { cellBox, context2d, fitToScreen, frameCell, strokeOutline } from "../browser/draw.js";
import { element } from "../browser/element.js";
import { fill } from "../browser/number.js";
import { createHeading, createPicture, drawMarks } from "../browser/picture.js";
import { focused } from "../browser/state.js";

/** @import { Grid } from "../browser/interpolate.js" */
/** @import { Cell, Store } from "../browser/state.js" */
/** @import { PredictionHeader, PredictionState } from "./types.js" */

const PAINT = "rgba(0, 150, 255, 0.5)"; // lets the photo through, and shows on every colour

/**
 * The photo, to be painted on.
 * @param {PredictionHeader} header
 * @param {Float32Array} values not a number where nothing is to be painted
 * @param {Store<PredictionState>} store
 */
export function createCanvas(header, values, store) {
  const { grids, query, words } = header;
  const [grid] = grids;
  const marks = element("canvas", { className: "layer" });
  const numberOf = (/** @type {Cell} */ cell) => cell.row * grid.width + cell.column;
  const set = (/** @type {Cell} */ cell, /** @type {boolean} */ on) => {
    const [n, { painted, revealed }] = [numberOf(cell), store.state];
    if (revealed || Number.isNaN(values[n]) || painted.includes(n) === on) return;
    store.set({ painted: on ? [...painted, n] : painted.filter((other) => other !== n) });
  };
  const isPainted = (/** @type {Cell} */ cell) => store.state.painted.includes(numberOf(cell));
  /** @type {{from: Cell | null, on: boolean | null} | null} */
  let stroke = null; // while the pointer is down; `on` once it has moved
  let dragged = false;
  const picture = createPicture(header, 0, [marks], {
    over(cell) {
      if (stroke && cell) {
        const from = stroke.from ?? cell;
        if (stroke.on === null) {
          stroke.on = !isPainted(from);
          set(from, stroke.on);
        }
        set(cell, stroke.on);
        dragged = true;
      }
      store.dispatch(cell ? { type: "hover", cell } : { type: "leave" });
    },
    click: (cell) => !dragged && set(cell, !isPainted(cell)),
  });
  picture.addEventListener("pointerdown", () => {
    stroke = { from: store.state.hover, on: null };
    dragged = false;
  });
  for (const end of ["pointerup", "pointercancel", "pointerleave"]) {
    picture.addEventListener(end, () => (stroke = null));
  }
  const count = () => fill(words.painted, { count: store.state.painted.length });
  const heading = createHeading(words.yours, count());
  const node = element("figure", { className: "panel canvas" }, heading, picture);
  const update = (/** @type {PredictionState} */ state) => {
    heading.replaceChildren(...createHeading(words.yours, count()).children);
    drawMarks(marks, grids, 0, state);
    const context = context2d(marks);
    context.fillStyle = PAINT;
    const cells = state.painted.map((n) => placeOf(n, grid));
    for (const cell of cells) context.fillRect(...cellBox(grid, cell, marks));
    for (const edge of edgesOf(state.painted, grid)) strokeOutline(marks, edge, grid.image_size);
    if (query !== null) frameCell(marks, grid, placeOf(query, grid));
  };
  return {
    node,
    update,
    /** The patch that is focused. */
    toggle() {
      const cell = focused(store.state);
      if (cell) set(cell, !isPainted(cell));
    },
    draw(/** @type {PredictionState} */ state) {
      fitToScreen(marks);
      update(state);
    },
  };
}

/**
 * @param {number} n
 * @param {Pick<Grid, "width">} grid
 */
function placeOf(n, { width }) {
  return { row: Math.floor(n / width), column: n % width };
}

/**
 * The edges of some patches towards others: lines x, y, x, y in pixels of the image.
 * @param {number[]} painted
 * @param {Grid} grid
 */
export function edgesOf(painted, grid) {
  const [top, left, bottom, right] = grid.box;
  const [high, wide] = [(bottom - top) / grid.height, (right - left) / grid.width];
  const inside = (/** @type {number} */ row, /** @type {number} */ column) =>
    column >= 0 && column < grid.width && painted.includes(row * grid.width + column);
  return painted.flatMap((n) => {
    const { row, column } = placeOf(n, grid);
    const [x, y] = [left + column * wide, top + row * high];
    const sides = /** @type {const} */ ([
      [-1, 0, [x, y, x + wide, y]],
      [1, 0, [x, y + high, x + wide, y + high]],
      [0, -1, [x, y, x, y + high]],
      [0, 1, [x + wide, y, x + wide, y + high]],
    ]);
    const open = sides.filter(([down, across]) => !inside(row + down, column + across));
    return open.map(([, , line]) => [...line]);
  });
}
