// The large pictures of the figure: the image, where the query is asked, and a map for each kind of
// attention that answers.
// @ts-check
import {
  context2d,
  dimOutside,
  fitToScreen,
  frameCell,
  markCell,
  paintBar,
  ringCell,
  strokeOutline,
} from "../browser/draw.js";
import { element } from "../browser/element.js";
import { fill } from "../browser/number.js";
import { createHeading, createPicture, pointing } from "../browser/picture.js";
import { sameCell } from "../browser/state.js";
import { paintCells } from "../browser/film.js";
import { nameOf, readingOf } from "./lines.js";
import { cellOf, CLASS, evenly, hiddenOf, tokenOf, topOf } from "./weights.js";

/** @import { Grid } from "../browser/interpolate.js" */
/** @import { Cell } from "../browser/state.js" */
/** @import { AttentionFigure, Kind, Sight } from "./types.js" */

export const MAP_STYLE = `
.layer_attention .stage {
  align-items: start;
  grid-template-columns: repeat(var(--columns), minmax(0, max(var(--wide), 225px)));
}
.layer_attention .panel { grid-template-rows: auto auto 8px 18px auto; align-self: start; }
.layer_attention .photo { grid-template-rows: auto auto auto auto; }
.layer_attention .photo:has(.bar) { grid-template-rows: auto auto 8px 18px auto auto; }
.layer_attention .photo:has(.bar) .status { min-height: 2.8em; margin-top: 0; }
.layer_attention .story { min-height: 2.6em; }
.beside { display: flex; flex-wrap: wrap; gap: 2px 10px; align-items: center; margin-top: 3px; }
.beside small { font-size: 12px; color: var(--quiet); }
.layer_attention .readout span { display: block; }
.layer_attention .cells { position: absolute; opacity: var(--alpha); image-rendering: pixelated; }
.layer_attention .smooth .cells { image-rendering: auto; }
.layer_attention .readout { white-space: pre-line; min-height: 2.8em; font-size: 12.5px; }
@container (max-width: 640px) {
  .layer_attention .stage { column-gap: 8px; }
  .layer_attention .readout { font-size: 12px; font-weight: 400; }
  /* what a map says first, in two lines */
  .layer_attention .readout span + span { display: none; }
  .layer_attention .status { margin-top: 2px; min-height: 2.8em; font-size: 12px; }
  .layer_attention .held { display: none; } /* the frame says so, and help */
  .layer_attention .numbers span:nth-child(2):not(:last-child) { display: none; }
}
@container (max-width: 540px) {
  .layer_attention .stage {
    grid-template-columns: repeat(var(--columns), minmax(0, 1fr)); gap: 10px 8px;
  }
}
@container (max-width: 430px) {
  .layer_attention .stage { grid-template-columns: repeat(2, minmax(0, 1fr)); }
}
`;
const TICKS = [0, 0.25, 1]; // of the scale, whose middle is a quarter: colour follows the root

/**
 * Frame the query on a canvas, with a cross-hair through what is pointed at.
 * @param {HTMLCanvasElement} canvas
 * @param {Grid} grid
 * @param {number} token
 * @param {Cell | null} cross
 * @param {boolean} pinned
 */
function drawQuery(canvas, grid, token, cross, pinned) {
  if (cross && cross.row >= 0) markCell(canvas, grid, cross, pinned);
  if (token) frameCell(canvas, grid, cellOf(token, grid));
}

/**
 * The image: who is asked. Over it lies how much a pool reads of each patch, if that is asked.
 * @param {AttentionFigure} figure
 */
export function createAsked({ header, arrays, store, weights, palette }) {
  const { grids, words, sinks, sinks_in: sinksIn } = header;
  const [grid] = grids;
  const { height, width } = grid;
  const cells = element("canvas", { className: "cells", width, height, hidden: true });
  layOver(cells, grid);
  const marks = element("canvas", { className: "layer" });
  const read = arrays.pool?.subarray(0, weights.tokens);
  const layers = read ? [cells, marks] : [marks];
  const picture = createPicture(header, 0, layers, pointing(store));
  const pixels = context2d(cells).createImageData(width, height);
  const chip = element(
    "button",
    {
      type: "button",
      className: "chip",
      title: words.class_hint,
      onpointerenter: () => store.dispatch({ type: "hover", cell: CLASS }),
      onpointerleave: () => store.dispatch({ type: "leave" }),
      onclick: () => store.dispatch({ type: "pin", cell: CLASS }),
    },
    words.class,
  );
  chip.addEventListener("keydown", (event) => {
    // these keys press the chip, not the stage
    if (event.key === " " || event.key === "Enter") event.stopPropagation();
  });
  const who = element("output", { className: "status" });
  const heading = createHeading(words.image, words.image_hint);
  const bar = element("canvas", { className: "bar" });
  const numbers = element("div", { className: "numbers" });
  paintBar(bar, palette.colours);
  const scale = read ? [bar, numbers] : [];
  const legend = element("small", { title: words.sinks_note, hidden: !sinks.length });
  const beside = element("div", { className: "beside" }, chip, legend);
  const around = [heading, picture, ...scale, beside, who];
  const node = element("figure", { className: "panel photo" }, ...around);
  const even = read && evenly(read, 0, header.nearly_even);
  const overImage = fill(words.query_pool, { nearly: even ? words.pool_even : "" });
  return {
    node,
    /**
     * @param {Sight} sight
     * @param {boolean} fresh
     */
    draw({ token, head, layer }, fresh) {
      if (fresh) fitToScreen(marks);
      const { pinned } = store.state;
      cells.hidden = !read || token !== 0;
      if (read && !cells.hidden) {
        const end = topOf([read], hiddenOf(store.state, 0, sinks));
        paintCells(pixels, 0, 0, { weights: read, first: 1, end }, grid, palette);
        context2d(cells).putImageData(pixels, 0, 0);
        numbers.replaceChildren(...timesOf(words, end * header.tokens));
      }
      // they keep their place, or what is pointed at would jump
      bar.style.visibility = numbers.style.visibility = cells.hidden ? "hidden" : "";
      const cell = cellOf(token, grid);
      context2d(marks).clearRect(0, 0, marks.width, marks.height);
      for (const line of header.outlines) strokeOutline(marks, line, grid.image_size);
      for (const sink of sinksIn[layer]) ringCell(marks, grid, cellOf(sink, grid));
      const counts = { here: sinksIn[layer].length, count: sinks.length };
      legend.textContent = `○ ${fill(words.sinks_here, counts)}`;
      drawQuery(marks, grid, token, cell, sameCell(pinned, cell));
      chip.setAttribute("aria-pressed", String(token === 0));
      who.textContent = fill(words.query, {
        name: nameOf(header, token),
        head: head === null ? "" : fill(words.query_head, { head }),
        held: cells.hidden ? "" : overImage,
      });
      const held = pinned && tokenOf(pinned, grid) === token;
      if (held) who.append(element("span", { className: "held" }, words.held));
    },
  };
}

/**
 * A large map: where the query looks, by one kind of attention in one layer.
 * @param {AttentionFigure} figure
 * @param {Kind} kind
 */
export function createAnswer({ header, store, weights, palette }, kind) {
  const { grids, words, dim } = header;
  const [grid] = grids;
  const { height, width } = grid;
  const cells = element("canvas", { className: "cells", width, height });
  layOver(cells, grid);
  const marks = element("canvas", { className: "layer" });
  const over = (/** @type {Cell | null} */ reading) => {
    if (!sameCell(store.state.reading, reading)) store.set({ reading });
  };
  const picture = createPicture(header, 0, [cells, marks], { ...pointing(store), over });
  const subtitle = element("span");
  const bar = element("canvas", { className: "bar" });
  const numbers = element("div", { className: "numbers" });
  const readout = element("output", { className: "readout" });
  const title = element("b", {}, fill(words.map_title, { kind: kind.label }));
  const heading = element("figcaption", { title: kind.meaning }, title, subtitle);
  const parts = [heading, picture, bar, numbers, readout];
  const node = element("figure", { className: "panel" }, ...parts);
  const pixels = context2d(cells).createImageData(width, height);
  paintBar(bar, palette.colours);
  return {
    node,
    /**
     * @param {Sight} sight
     * @param {(row: ArrayLike<number>) => number} end
     * @param {boolean} fresh
     */
    draw(sight, end, fresh) {
      node.hidden = !sight.kinds.includes(kind);
      if (node.hidden) return;
      if (fresh || marks.width < 2) fitToScreen(marks);
      const { token, layer, head } = sight;
      const row = weights.row(kind.name, layer, token, head);
      const top = end(row);
      paintCells(pixels, 0, 0, { weights: row, first: 1, end: top }, grid, palette);
      context2d(cells).putImageData(pixels, 0, 0);
      context2d(marks).clearRect(0, 0, marks.width, marks.height);
      dimOutside(marks, grid, dim);
      for (const line of header.outlines) strokeOutline(marks, line, grid.image_size);
      drawQuery(marks, grid, token, store.state.reading, false);
      const place = { layer: header.layers[layer], weight: row[0] };
      subtitle.textContent = fill(words.map_subtitle, place);
      const beyond = Array.from(row).some((weight, n) => n > 0 && weight > 1.001 * top);
      numbers.replaceChildren(...timesOf(words, top * header.tokens, beyond));
      const lines = readingOf(header, weights, store.state, kind, sight).split("\n");
      readout.replaceChildren(...lines.map((line) => element("span", {}, line)));
    },
  };
}

/**
 * The numbers below a colour bar.
 * @param {Record<"times" | "beyond", string>} words
 * @param {number} top its end, in times of an even gaze
 * @param {boolean} [beyond] whether something leaves the scale, as sinks do
 */
function timesOf(words, top, beyond = false) {
  return TICKS.map((part) =>
    element(
      "span",
      {},
      fill(part === 1 && beyond ? words.beyond : words.times, { times: part * top }),
    ),
  );
}

/**
 * Put a canvas of one pixel a patch where the grid lies on the image.
 * @param {HTMLCanvasElement} canvas
 * @param {Grid} grid
 */
function layOver(canvas, { box, image_size }) {
  const [top, left, bottom, right] = box;
  const [H, W] = image_size;
  Object.assign(canvas.style, {
    left: `${(100 * left) / W}%`,
    top: `${(100 * top) / H}%`,
    width: `${(100 * (right - left)) / W}%`,
    height: `${(100 * (bottom - top)) / H}%`,
  });
}
