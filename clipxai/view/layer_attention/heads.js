// What does every head do, and what is it like? Tables with a tile for each: heads down, layers
// across.
// @ts-check
import { element } from "../browser/element.js";
import { fill } from "../browser/number.js";
import { sameCell } from "../browser/state.js";
import { createFilm, linearIndex } from "../browser/film.js";
import { nameOf } from "./lines.js";
import { CLASS, hiddenOf, strongest, topOf } from "./weights.js";

/** @import { Spot } from "../browser/film.js" */
/** @import { AttentionFigure, AttentionHeader, Kind, Sight, Statistic } from "./types.js" */

export const HEAD_STYLE = `
.heads { display: flex; flex-wrap: wrap; gap: 10px 26px; margin-top: 4px; }
.heads b { font-size: 13px; }
.heads > div { flex: 0 1 var(--wide); min-width: min(100%, var(--least)); }
.heads > .merits {
  display: grid; gap: 6px 16px; align-content: start; align-items: end; flex-grow: 1;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, var(--least)), 1fr));
}
.merits > div { max-width: calc(1.25 * var(--least)); }
.heads small { display: block; color: var(--quiet); font-size: 12px; }
.table { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 2px 6px; }
.table .names { display: grid; text-align: right; }
.table .names, .table .ticks { font-size: 12px; line-height: 1; color: var(--quiet); }
.table .names span { align-self: center; }
`;
const MERIT = { height: 7, width: 8 }; // cells of a figure of merit
// pixels across of the least tile, so that the name of its row, of 12 pixels, has room
const LEAST = { map: 15, merit: 18 };
const NAMES = 30; // pixels of the names of rows
const ALL_LAYERS = 12; // from which on every second number would touch the next

/**
 * A table with the names of its heads and the numbers of its layers.
 * @param {AttentionHeader} header
 * @param {HTMLElement} film
 */
function named({ heads, layers, words }, film) {
  const rows = Array.from({ length: heads }, (_, head) =>
    element("span", {}, fill(words.head_tick, { head })),
  );
  const every = layers.length > ALL_LAYERS ? 2 : 1;
  const columns = layers.map((layer, n) => element("span", {}, n % every ? "" : String(layer)));
  const ticks = element("div", { className: "ticks" }, ...columns);
  ticks.style.setProperty("--cells", String(layers.length));
  const names = element("div", { className: "names" }, ...rows);
  const corner = element("small", {}, words.layer_tick);
  return element("div", { className: "table" }, names, film, corner, ticks);
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
  beside.style.setProperty("--least", `${NAMES + LEAST.merit * layers.length}px`);
  const every = headed.length ? fill(words.every_patch, { layers: headed.join(", ") }) : "";
  let painted = ""; // the scale that is on the canvases
  return {
    node: element("div", { className: "heads" }, ...tables.map(({ node }) => node), beside),
    /**
     * @param {Sight} sight
     * @param {boolean} fresh
     */
    draw(sight, fresh) {
      // opened, they have another size
      if (fresh) for (const { film } of tables) film.outline(header.outlines);
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
      hint.textContent = "";
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
  const node = element("div", {}, title, named(header, film.node), note);
  node.style.setProperty("--wide", `${NAMES + Math.min(420, 62 * layers.length)}px`);
  node.style.setProperty("--least", `${NAMES + LEAST.map * layers.length}px`);
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
      hint.textContent = "";
      return;
    }
    const place = { head: spot[0], layer: layers[spot[1]] };
    hint.textContent = fill(words.merit_hint, { ...place, merits: meritsOf(figure, spot) });
  };
  const size = { rows: heads, columns: layers.length, size: MERIT };
  const spoken = fill(words.merit_label, { name: label });
  const film = createFilm({ ...size, ...choosing(figure), point, label: spoken });
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
  const told = element("small", {}, meaning);
  const parts = [element("b", {}, label), told, named(header, film.node), range];
  return { film, node: element("div", { title: meaning }, ...parts) };
}
