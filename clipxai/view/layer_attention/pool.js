// How much does a pool read of each patch? Where no class token stands for the image, a learned
// query reads the tokens at the end.
// @ts-check
import { createFilm } from "../browser/film.js";
import { element } from "../browser/element.js";
import { fill } from "../browser/number.js";
import { nameOf } from "./lines.js";
import { CLASS, hiddenOf, strongest, topOf } from "./weights.js";

/** @import { Spot } from "../browser/film.js" */
/** @import { AttentionFigure } from "./types.js" */

/**
 * What stands below the cells of a strip.
 * @param {string[]} names
 */
export function createTicks(names) {
  const ticks = names.map((name) => element("span", {}, name));
  const node = element("div", { className: "ticks" }, ...ticks);
  node.style.setProperty("--cells", String(names.length));
  return node;
}

/**
 * How much a pool's query reads of each patch, mean and head by head. A click asks the pool.
 * @param {AttentionFigure & {read: Float32Array}} figure
 * @param {HTMLElement} hint
 */
export function createPool({ header, store, weights, palette, read }, hint) {
  const { words, sinks, grids } = header;
  const [N, columns] = [weights.tokens, read.length / weights.tokens];
  const row = (/** @type {number} */ n) => read.subarray(n * N, (n + 1) * N);
  const point = (/** @type {Spot | null} */ spot) => {
    if (!spot) {
      hint.textContent = "";
      return;
    }
    const values = row(spot[1]);
    const most = strongest(values, 0);
    hint.textContent = fill(words.pool_hint, {
      head: spot[1] ? fill(words.pool_head, { head: spot[1] - 1 }) : words.pool_mean,
      most: nameOf(header, most),
      times: values[most] * header.tokens,
      on_class: values[0],
    });
  };
  const choose = () => store.dispatch({ type: "pin", cell: CLASS });
  const outlines = { lines: header.outlines, grid: grids[0] };
  const on = { choose, point, label: words.pool_label };
  const film = createFilm({ rows: 1, columns, size: grids[0], gap: 2, outlines, ...on });
  const top = (/** @type {number} */ n) => topOf([row(n)], hiddenOf(store.state, 0, sinks));
  const heads = Array.from({ length: columns - 1 }, (_, n) =>
    n ? String(n) : fill(words.pool_head, { head: n }),
  );
  return {
    film,
    ticks: createTicks([words.pool_ticks, ...heads]),
    title: element("b", {}, words.pool_strip),
    top: () => top(0),
    draw: () => film.paint((_, n) => ({ weights: row(n), first: 1, end: top(n) }), palette),
  };
}
