// How are many little maps shown at once? As one canvas of cells that can be pointed at and walked
// over.
// @ts-check
import { context2d } from "./draw.js";
import { element } from "./element.js";
import { drawOutlines, OUTLINE_STYLE } from "./outlines.js";
import { clamp } from "./state.js";

/** @import { Grid } from "./interpolate.js" */
/**
 * @typedef {{height: number, width: number}} Size
 * @typedef {(weight: number, end: number) => number} Index  place of a weight in a table of 256
 *   colours, the last of which is for `end`
 * @typedef {object} CellsOfMap  the numbers of a little map
 * @property {ArrayLike<number>} weights of all tokens, or of patches alone
 * @property {number} first the first of them that is a patch
 * @property {number} end weight of the last colour
 * @typedef {object} Palette
 * @property {Uint8Array} colours 256 × RGB
 * @property {number} unknown grey of what is no number
 * @typedef {[row: number, column: number]} Spot
 * @typedef {object} FilmOptions
 * @property {number} rows
 * @property {number} columns
 * @property {Size} size of a map, in cells
 * @property {number} [gap]
 * @property {string} label
 * @property {(row: number, column: number) => void} choose for a click, Enter or Space
 * @property {() => void} [again] for a double click or Escape
 * @property {{lines: number[][], grid: Grid}} [outlines] of things, on every map
 * @property {(spot: Spot | null) => void} point what the pointer or the cursor is on; null: nothing
 * @typedef {ReturnType<typeof createFilm>} Film
 */

export const FILM_STYLE = `${OUTLINE_STYLE}
.film { position: relative; border-radius: 3px; cursor: pointer; touch-action: pan-y; }
.film canvas { display: block; width: 100%; image-rendering: pixelated; }
.film i {
  position: absolute; pointer-events: none; border: 2px solid var(--chosen);
  box-shadow: 0 0 0 1px #fff, inset 0 0 0 1px #fff; border-radius: 2px;
}
.film .cursor { border: 1px dashed #fff; box-shadow: 0 0 0 1px #202020; }
`;

/** @type {Record<string, Spot>} */
const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/**
 * Colours of patches into an image; NaN is grey.
 * @param {Pick<ImageData, "data" | "width">} picture
 * @param {number} left
 * @param {number} top where the map begins in it
 * @param {CellsOfMap} cells
 * @param {Size} size
 * @param {Palette} palette
 * @param {Index} [index]
 */
export function paintCells(picture, left, top, cells, size, palette, index = rootIndex) {
  const { data, width } = picture;
  const { weights, end } = cells;
  const { colours, unknown } = palette;
  for (let row = 0, n = cells.first; row < size.height; row++) {
    let at = 4 * ((top + row) * width + left);
    for (let column = 0; column < size.width; column++, n++, at += 4) {
      const colour = 3 * index(weights[n], end);
      const known = !Number.isNaN(weights[n]);
      for (let c = 0; c < 3; c++) data[at + c] = known ? colours[colour + c] : unknown;
      data[at + 3] = 255;
    }
  }
}

/**
 * Attention is so uneven that most of a linear scale would stay empty: colour follows the root.
 * @type {Index}
 */
export function rootIndex(weight, end) {
  return end > 0 && weight > 0 ? Math.round(Math.sqrt(Math.min(weight / end, 1)) * 255) : 0;
}

/**
 * The same for a figure of merit: no root.
 * @type {Index}
 */
export function linearIndex(value, end) {
  return end > 0 && value > 0 ? Math.round(Math.min(value / end, 1) * 255) : 0;
}

/**
 * A table of little maps.
 * @param {FilmOptions} options
 */
export function createFilm(options) {
  const { rows, columns, size, gap = 1, label, choose, again, point, outlines } = options;
  const { height, width } = size;
  const [wide, high] = [columns * (width + gap) - gap, rows * (height + gap) - gap];
  const canvas = element("canvas", { width: wide, height: high });
  const cursor = element("i", { className: "cursor", hidden: true });
  const marks = element("div");
  const named = { role: "application", "aria-label": label, "data-lm-suppress-shortcuts": "true" };
  const properties = { className: "film", tabIndex: 0, ...named };
  const lines = element("canvas", { className: "outlines", hidden: !outlines?.lines.length });
  const node = element("div", properties, canvas, lines, marks, cursor);
  const context = context2d(canvas);
  const picture = context.createImageData(wide, high);
  /** @type {(box: HTMLElement, row: number, column: number, down?: number) => void} */
  const place = (box, row, column, down = 1) => {
    Object.assign(box.style, {
      left: `${(100 * column * (width + gap)) / wide}%`,
      top: `${(100 * row * (height + gap)) / high}%`,
      width: `${(100 * width) / wide}%`,
      height: `${(100 * (down * (height + gap) - gap)) / high}%`,
    });
  };
  const corners = Array.from({ length: rows * columns }, (_, n) => {
    const [row, column] = [Math.floor(n / columns), n % columns];
    return /** @type {[number, number]} */ ([column * (width + gap), row * (height + gap)]);
  });
  /** @type {Spot | null} */
  let on = null;
  let drawn = outlines?.lines ?? [];
  let outlined = 0; // pixels across that the outlines were drawn for
  const outline = () => {
    if (!outlines || lines.hidden || lines.clientWidth === outlined) return;
    outlined = lines.clientWidth;
    drawOutlines(lines, drawn, outlines.grid, { width: wide, height: high }, corners);
  };
  const move = (/** @type {Spot | null} */ spot) => {
    if (spot === on || (spot && on && spot[0] === on[0] && spot[1] === on[1])) return;
    on = spot;
    cursor.hidden = !spot;
    if (spot) place(cursor, spot[0], spot[1]);
    point(spot);
  };
  node.addEventListener("pointermove", (event) => {
    const area = canvas.getBoundingClientRect();
    const y = (event.clientY - area.top) / area.height;
    const x = (event.clientX - area.left) / area.width;
    move([clamp(Math.floor(y * rows), rows), clamp(Math.floor(x * columns), columns)]);
  });
  node.addEventListener("pointerleave", () => move(null));
  node.addEventListener("blur", () => move(null));
  node.addEventListener("click", () => on && choose(on[0], on[1]));
  if (again) node.addEventListener("dblclick", again);
  node.addEventListener("keydown", (event) => {
    const step = Object.hasOwn(STEPS, event.key) ? STEPS[event.key] : null;
    const enter = event.key === "Enter" || event.key === " ";
    if (event.key === "Escape" && again) again();
    if (!step && !enter) return;
    event.preventDefault();
    event.stopPropagation(); // or the arrow would move the query as well
    if (enter && on) choose(on[0], on[1]);
    if (step) move(on ? [clamp(on[0] + step[0], rows), clamp(on[1] + step[1], columns)] : [0, 0]);
  });
  return {
    node,
    /**
     * @param {(row: number, column: number) => CellsOfMap} cells
     * @param {Palette} palette
     * @param {Index} [index]
     */
    paint(cells, palette, index) {
      for (let row = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++) {
          const [left, top] = [column * (width + gap), row * (height + gap)];
          paintCells(picture, left, top, cells(row, column), size, palette, index);
        }
      }
      context.putImageData(picture, 0, 0);
      outline();
    },
    /**
     * Outlines of another thing, or the same ones at another size.
     * @param {number[][]} next
     */
    outline(next) {
      if (next !== drawn) outlined = 0;
      drawn = next;
      lines.hidden = !next.length;
      outline();
    },
    /**
     * Frame cells, and perhaps those below them.
     * @param {[row: number, column: number, down?: number][]} spots
     */
    mark(spots) {
      const boxes = spots.map(([row, column, down]) => {
        const box = element("i");
        place(box, row, column, down);
        return box;
      });
      marks.replaceChildren(...boxes);
    },
  };
}
