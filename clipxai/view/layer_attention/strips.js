// What do all layers and all heads do at once? A strip of little maps for each kind of attention,
// and tables of heads with what each head is like.
// @ts-check
import { element } from "../browser/element.js";
import { fill } from "../browser/number.js";
import { sameCell } from "../browser/state.js";
import { createFilm, linearIndex } from "../browser/film.js";
import { nameOf } from "./lines.js";
import { createPool, createTicks } from "./pool.js";
import { CLASS, hiddenOf, inAllLayers, strongest, topOf } from "./weights.js";

/** @import { Spot } from "../browser/film.js" */
/** @import { AttentionFigure, Kind, Sight, Statistic } from "./types.js" */

export const STRIP_STYLE = `
.films {
  display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 4px 10px;
  align-items: center; margin-top: 4px;
  max-width: calc(90px + var(--layers) * min(118px, max(38px, 0.34 * var(--wide))));
}
@container (max-width: 640px) { .films { max-width: calc(90px + var(--layers) * 32px); } }
.films > b, .heads b { font-size: 13px; }
.ticks {
  display: grid; grid-template-columns: repeat(var(--cells), 1fr); text-align: center;
  color: var(--quiet); font-size: 12px;
}
.ticks span { white-space: nowrap; }
.heads { display: flex; flex-wrap: wrap; gap: 10px 26px; margin-top: 4px; }
.heads > div { flex: 0 1 var(--wide); min-width: 150px; }
.heads > .merits {
  display: grid; gap: 6px 16px; align-content: start; flex-grow: 1;
  grid-template-columns: repeat(auto-fill, minmax(150px, 190px));
}
.heads small { display: block; color: var(--quiet); font-size: 12px; }
`;
const MERIT = { height: 6, width: 8 }; // cells of a figure of merit
const NOTHING = "\u00a0";

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
        hint.textContent = NOTHING;
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

/**
 * Where the whole image looks, head by head, and what each head is like. A click shows one head
 * alone.
 * @param {AttentionFigure} figure
 * @param {HTMLElement} hint a line for what is pointed at
 */
export function createHeads(figure, hint) {
  const { header, store, weights, palette } = figure;
  const { heads: H, sinks, words, headed } = header;
  const layers = [...header.layers.keys()];
  const tables = header.kinds.map((kind) => createHeadTable(figure, kind, hint));
  const merits = header.statistics.map((statistic) => createMerit(figure, statistic, hint));
  const beside = element("div", { className: "merits" }, ...merits.map(({ node }) => node));
  beside.style.setProperty("--wide", "190px");
  const every = headed.length ? fill(words.every_patch, { layers: headed.join(", ") }) : "";
  let painted = ""; // the scale that is on the canvases
  return {
    node: element("div", { className: "heads" }, ...tables.map(({ node }) => node), beside),
    /** @param {Sight} sight */
    draw(sight) {
      for (const { film } of [...tables, ...merits]) {
        film.mark(sight.head === null ? [[0, sight.layer, H]] : [[sight.head, sight.layer]]);
      }
      for (const { kind, node } of tables) node.hidden = !sight.kinds.includes(kind);
      const { own, withoutClass, withoutSinks, withoutSelf } = store.state;
      const wanted = `${own} ${withoutClass} ${withoutSinks} ${withoutSelf}`;
      if (painted === wanted) return;
      painted = wanted;
      const hidden = hiddenOf(store.state, 0, sinks);
      for (const { kind, film, note } of tables) {
        const row = (/** @type {number} */ head, /** @type {number} */ layer) =>
          weights.row(kind.name, layer, 0, head);
        const all = layers.flatMap((layer) => Array.from({ length: H }, (_, n) => row(n, layer)));
        const top = topOf(all, hidden);
        film.paint((head, layer) => {
          const values = row(head, layer);
          return { weights: values, first: 1, end: own ? topOf([values], hidden) : top };
        }, palette);
        note.textContent = own ? words.heads_own : fill(words.heads_shared, { top, every });
      }
    },
  };
}

/**
 * What a click on a head does, and how to return to the mean.
 * @param {AttentionFigure} figure
 */
function choosing({ header, store }) {
  const again = () => {
    const { pinned } = store.state;
    store.set({ head: null, pinned: sameCell(pinned, CLASS) ? null : pinned });
  };
  const choose = (/** @type {number} */ head, /** @type {number} */ layer) => {
    const { state } = store;
    const all = header.headed.includes(header.layers[layer]); // else only [class] has single heads
    if (state.head === head && state.layer === layer) again();
    else store.set({ head, layer, ...(all ? {} : { pinned: CLASS, hover: null }) });
  };
  return { choose, again };
}

/**
 * What a head is like, in words.
 * @param {AttentionFigure} figure
 * @param {Spot} spot
 */
function meritsOf({ header, arrays }, [head, layer]) {
  const told = header.statistics.map(({ name, label, unit }) => {
    const value = arrays[name][layer * header.heads + head];
    return fill(header.words.merit, { name: label, value, unit: unit && ` ${unit}` });
  });
  return told.join(", ");
}

/**
 * @param {AttentionFigure} figure
 * @param {Kind} kind
 * @param {HTMLElement} hint
 */
function createHeadTable(figure, kind, hint) {
  const { header, weights } = figure;
  const { words, layers, heads, grids } = header;
  const point = (/** @type {Spot | null} */ spot) => {
    if (!spot) {
      hint.textContent = NOTHING;
      return;
    }
    const [head, layer] = spot;
    const row = weights.row(kind.name, layer, 0, head);
    const most = strongest(row, 0);
    hint.textContent = fill(words.head_hint, {
      layer: layers[layer],
      head,
      kind: kind.label,
      most: nameOf(header, most),
      times: row[most] * header.tokens,
      merits: meritsOf(figure, spot),
    });
  };
  const label = fill(words.heads_label, { kind: kind.label });
  const size = { rows: heads, columns: layers.length, size: grids[0] };
  const outlines = { lines: header.outlines, grid: grids[0] };
  const film = createFilm({ ...size, ...choosing(figure), outlines, point, label });
  const note = element("small");
  const title = element("b", {}, fill(words.heads_title, { kind: kind.label }));
  const node = element("div", {}, title, film.node, note);
  node.style.setProperty("--wide", `${Math.min(420, 62 * layers.length)}px`);
  return { kind, film, note, node };
}

/**
 * A figure of merit of every head.
 * @param {AttentionFigure} figure
 * @param {Statistic} statistic
 * @param {HTMLElement} hint
 */
function createMerit(figure, { name, label, unit, meaning }, hint) {
  const { header, arrays, palette } = figure;
  const { words, layers, heads } = header;
  const values = arrays[name];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const point = (/** @type {Spot | null} */ spot) => {
    if (!spot) {
      hint.textContent = NOTHING;
      return;
    }
    const place = { head: spot[0], layer: layers[spot[1]] };
    const merits = meritsOf(figure, spot);
    hint.textContent = fill(words.merit_hint, { ...place, merits, name: label, meaning });
  };
  const size = { rows: heads, columns: layers.length, size: MERIT };
  const named = fill(words.merit_label, { name: label });
  const film = createFilm({ ...size, ...choosing(figure), point, label: named });
  const patch = (/** @type {number} */ value) =>
    new Float32Array(MERIT.height * MERIT.width).fill(value);
  film.paint(
    (head, layer) => ({
      weights: patch(values[layer * heads + head] - low),
      first: 0,
      end: high - low,
    }),
    palette,
    linearIndex,
  );
  const range = element("small", {}, fill(words.merit_range, { low, high, unit }));
  const title = element("b", {}, label);
  return { film, node: element("div", { title: meaning }, title, film.node, range) };
}
