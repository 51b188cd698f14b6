// What do all layers do at once? A strip of little maps for each kind of attention, and rollout.
// @ts-check
import { element } from "../browser/element.js";
import { fill } from "../browser/number.js";
import { createFilm } from "../browser/film.js";
import { nameOf } from "./lines.js";
import { createPool, createTicks } from "./pool.js";
import { hiddenOf, inAllLayers, strongest, topOf } from "./weights.js";

/** @import { Spot } from "../browser/film.js" */
/** @import { AttentionFigure, Sight } from "./types.js" */

export const STRIP_STYLE = `
.films {
  display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 4px 10px;
  align-items: center; margin-top: 4px;
  max-width: calc(90px + var(--layers) * min(118px, max(38px, 0.34 * var(--wide))));
}
@container (max-width: 640px) { .films { max-width: calc(90px + var(--layers) * 32px); } }
.films > b { font-size: 13px; }
.ticks {
  display: grid; grid-template-columns: repeat(var(--cells), 1fr); text-align: center;
  color: var(--quiet); font-size: 12px;
}
.ticks span { white-space: nowrap; }
`;

/**
 * All layers of the query, one strip for each kind, rollout, and what a pool reads. A click chooses
 * the layer, or asks the pool.
 * @param {AttentionFigure} figure
 * @param {HTMLElement} hint a line for what is pointed at
 */
export function createFilms(figure, hint) {
  const { header, arrays, store, weights, palette } = figure;
  const { layers, words, sinks, kinds } = header;
  const [L, N] = [layers.length, weights.tokens];
  let sight = /** @type {Pick<Sight, "token" | "head">} */ ({ token: 0, head: null });
  /**
   * @param {string} name
   * @param {(layer: number) => ArrayLike<number>} row
   * @param {() => number} query
   */
  const createStrip = (name, row, query) => {
    const point = (/** @type {Spot | null} */ spot) => {
      if (!spot) {
        hint.textContent = "";
        return;
      }
      const values = row(spot[1]);
      const most = strongest(values, query());
      const times = values[most] * header.tokens;
      const told = { most: nameOf(header, most), times, on_class: values[0] };
      hint.textContent = fill(words.strip_hint, { layer: layers[spot[1]], name, ...told });
    };
    const choose = (/** @type {number} */ _, /** @type {number} */ layer) => store.set({ layer });
    const label = fill(words.strip_label, { name });
    const [size] = header.grids;
    const outlines = { lines: header.outlines, grid: size };
    const on = { choose, point, label };
    const film = createFilm({ rows: 1, columns: L, size, gap: 2, outlines, ...on });
    return { film, row, title: element("b", {}, name) };
  };
  const strips = kinds.map((kind) => {
    const row = (/** @type {number} */ layer) =>
      weights.row(kind.name, layer, sight.token, inAllLayers(sight));
    return { kind, ...createStrip(kind.label, row, () => sight.token) };
  });
  const rolled = (/** @type {number} */ layer) =>
    arrays.rollout.subarray(layer * N, (layer + 1) * N);
  const rollout = createStrip(words.rollout, rolled, () => 0);
  const names = createTicks(header.ticks);
  const lines = strips.flatMap(({ title, film }) => [title, film.node]);
  const node = element("div", { className: "films" }, ...lines, element("span"), names);
  const below = element("div", { className: "films" }, rollout.title, rollout.film.node);
  const pool = arrays.pool && createPool({ ...figure, read: arrays.pool }, hint);
  if (pool) below.append(pool.title, pool.film.node, element("span"), pool.ticks);
  below.style.setProperty("--layers", String(L));
  node.style.setProperty("--layers", String(L));
  const rolloutHidden = () => hiddenOf(store.state, 0, sinks);
  const rolloutTop = () => topOf([...layers.keys()].map(rolled), rolloutHidden());
  return {
    node,
    rollout: below,
    rolloutTop,
    poolTop: () => pool?.top(),
    /**
     * @param {Sight} now what is seen
     * @param {(row: ArrayLike<number>) => number} end
     */
    draw(now, end) {
      sight = now;
      for (const { kind, film, row, title } of strips) {
        film.node.hidden = title.hidden = !now.kinds.includes(kind);
        const cells = (/** @type {ArrayLike<number>} */ values) => ({
          weights: values,
          first: 1,
          end: end(values),
        });
        film.paint((_, layer) => cells(row(layer)), palette);
        film.mark([[0, now.layer]]);
      }
      const [shared, hidden] = [rolloutTop(), rolloutHidden()];
      rollout.film.paint((_, layer) => {
        const values = rolled(layer);
        return {
          weights: values,
          first: 1,
          end: store.state.own ? topOf([values], hidden) : shared,
        };
      }, palette);
      pool?.draw();
    },
  };
}
