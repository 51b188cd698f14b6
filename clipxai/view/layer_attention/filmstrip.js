// How are many little attention maps shown at once? As one canvas of cells that can be pointed at and walked over.
// @ts-check
import { context2d } from "../browser/draw.js";
import { element } from "../browser/shell.js";
import { clamp, sameCell } from "../browser/state.js";
import { CLASS, hiddenOf, inAllLayers, nameOf, strongest, topOf } from "./weights.js";
import { format } from "../browser/number.js";

export const FILM_STYLE = `
.stage.attention { grid-template-columns: repeat(var(--columns), minmax(0, 330px)); align-items: start; }
.attention .panel { grid-template-rows: auto auto 8px 18px auto; align-self: start; }
.attention .cells { position: absolute; opacity: var(--alpha); image-rendering: pixelated; }
.smooth .cells { image-rendering: auto; }
.attention .readout { white-space: pre-line; min-height: 4.2em; }
@container (max-width: 620px) { .stage.attention { grid-template-columns: repeat(2, minmax(0, 1fr)); } }
.films { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 4px 10px; align-items: center; margin-top: 12px; }
.films > b, .heads b { font-size: 13px; }
.ticks { display: grid; grid-template-columns: repeat(var(--cells), 1fr); text-align: center; color: var(--quiet); font-size: 12px; }
.ticks span { white-space: nowrap; }
.heads { display: flex; flex-wrap: wrap; gap: 10px 26px; margin-top: 4px; }
.heads > div { flex: 0 1 var(--wide); min-width: 150px; }
.heads > .merits {
  display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 190px)); gap: 6px 16px; align-content: start; flex-grow: 1;
}
.heads small { display: block; color: var(--quiet); font-size: 12px; }
.film { position: relative; border-radius: 3px; cursor: pointer; touch-action: pan-y; }
.film canvas { display: block; width: 100%; image-rendering: pixelated; }
.film i {
  position: absolute; pointer-events: none; border: 2px solid #e8590c; box-shadow: 0 0 0 1px #fff, inset 0 0 0 1px #fff; border-radius: 2px;
}
.film .cursor { border: 1px dashed #fff; box-shadow: 0 0 0 1px #202020; }
/* of one height, or what is pointed at would jump */
.hint { display: block; height: 2.8em; overflow: hidden; font-variant-numeric: tabular-nums; margin-top: 4px; }
`;

/**
 * Colours of patches into an image; colour follows the square root of a weight, NaN is grey.
 * @param {ImageData} picture @param {number} left @param {number} top where the map begins in it
 * @param {ArrayLike<number>} weights of all tokens, or of patches alone @param {number} first the first that is a patch
 * @param {{height: number, width: number}} grid @param {number} end weight of the last colour @param {Uint8Array} table 256 × RGB
 * @param {(weight: number, end: number) => number} [index] place in the table
 */
export function paintCells(
  picture,
  left,
  top,
  weights,
  first,
  grid,
  end,
  table,
  index = rootIndex,
) {
  const { data, width } = picture;
  for (let row = 0, n = first; row < grid.height; row++) {
    for (
      let column = 0, at = 4 * ((top + row) * width + left);
      column < grid.width;
      column++, n++, at += 4
    ) {
      const colour = 3 * index(weights[n], end);
      const known = !Number.isNaN(weights[n]);
      for (let c = 0; c < 3; c++) data[at + c] = known ? table[colour + c] : 221;
      data[at + 3] = 255;
    }
  }
}

/** Place of a weight in a table of 256 colours. @param {number} weight @param {number} end @returns {number} 0…255 */
export function rootIndex(weight, end) {
  return end > 0 && weight > 0 ? Math.round(Math.sqrt(Math.min(weight / end, 1)) * 255) : 0;
}

/** The same for a figure of merit: no root. @param {number} value @param {number} end @returns {number} 0…255 */
export function linearIndex(value, end) {
  return end > 0 && value > 0 ? Math.round(Math.min(value / end, 1) * 255) : 0;
}

/**
 * A table of little maps. `choose` is called for a click, Enter or Space, `point` for what the pointer or the cursor is on (null: nothing).
 * @param {{rows: number, columns: number, height: number, width: number, gap?: number, label: string,
 *   choose: (row: number, column: number) => void, again?: () => void, point: (cell: [number, number] | null) => void}} options
 */
function createFilm({ rows, columns, height, width, gap = 1, label, choose, again, point }) {
  const canvas = element("canvas", {
    width: columns * (width + gap) - gap,
    height: rows * (height + gap) - gap,
  });
  const cursor = element("i", { className: "cursor", hidden: true });
  const marks = element("div", {});
  const properties = {
    className: "film",
    tabIndex: 0,
    role: "application",
    "aria-label": label,
    "data-lm-suppress-shortcuts": "true",
  };
  const node = element("div", properties, canvas, marks, cursor);
  const context = context2d(canvas);
  const picture = context.createImageData(canvas.width, canvas.height);
  const place = (
    /** @type {HTMLElement} */ box,
    /** @type {number} */ row,
    /** @type {number} */ column,
    high = 1,
  ) => {
    Object.assign(box.style, {
      left: `${(100 * column * (width + gap)) / canvas.width}%`,
      top: `${(100 * row * (height + gap)) / canvas.height}%`,
      width: `${(100 * width) / canvas.width}%`,
      height: `${(100 * (high * (height + gap) - gap)) / canvas.height}%`,
    });
  };
  /** @type {[number, number] | null} */
  let on = null;
  const move = (/** @type {[number, number] | null} */ cell) => {
    if (cell === on || (cell && on && cell[0] === on[0] && cell[1] === on[1])) return;
    on = cell;
    cursor.hidden = !cell;
    if (cell) place(cursor, cell[0], cell[1]);
    point(cell);
  };
  node.addEventListener("pointermove", (/** @type {PointerEvent} */ event) => {
    const area = canvas.getBoundingClientRect();
    const [y, x] = [
      (event.clientY - area.top) / area.height,
      (event.clientX - area.left) / area.width,
    ];
    move([clamp(Math.floor(y * rows), rows), clamp(Math.floor(x * columns), columns)]);
  });
  node.addEventListener("pointerleave", () => move(null));
  node.addEventListener("blur", () => move(null));
  node.addEventListener("click", () => on && choose(on[0], on[1]));
  if (again) node.addEventListener("dblclick", again);
  node.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[
      event.key
    ];
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
    /** @param {(row: number, column: number) => {weights: ArrayLike<number>, first: number, end: number}} cell @param {Uint8Array} table
     * @param {(weight: number, end: number) => number} [index] */
    paint(cell, table, index) {
      for (let row = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++) {
          const { weights, first, end } = cell(row, column);
          paintCells(
            picture,
            column * (width + gap),
            row * (height + gap),
            weights,
            first,
            { height, width },
            end,
            table,
            index,
          );
        }
      }
      context.putImageData(picture, 0, 0);
    },
    /** Frame cells. @param {[row: number, column: number, high?: number][]} cells */
    mark(cells) {
      marks.replaceChildren(
        ...cells.map(([row, column, high]) => {
          const box = element("i", {});
          place(box, row, column, high);
          return box;
        }),
      );
    },
  };
}

/** All layers of the query, one strip for each kind, and rollout. A click chooses the layer.
 * @param {any} figure @param {any} hint a line for what is pointed at */
export function createFilms({ header, arrays, store, weights, table }, hint) {
  const grid = header.grids[0];
  const L = header.layers.length;
  const choose = (/** @type {number} */ _, /** @type {number} */ layer) =>
    store.dispatch({ type: "set", values: { layer } });
  let sight = /** @type {any} */ ({ token: 0, head: null });
  /** @param {string} name @param {(layer: number) => ArrayLike<number>} row @param {() => number} query */
  const strip = (name, row, query) => {
    const point = (/** @type {[number, number] | null} */ cell) => {
      const layer = cell ? cell[1] : 0;
      const values = row(layer);
      const most = strongest(values, query());
      const words = `most on ${nameOf(most, grid)}, ${format(values[most])}; on [class] ${format(values[0])}`;
      hint.textContent = cell ? `layer ${header.layers[layer]}, ${name}: ${words}` : "\u00a0";
    };
    const label = `${name}, all layers. Left and right arrows move, Enter chooses the layer.`;
    const film = createFilm({ rows: 1, columns: L, ...grid, gap: 2, choose, point, label });
    return { name, film, row, title: element("b", {}, name) };
  };
  const N = weights.tokens;
  const kinds = header.kinds.map((/** @type {any} */ kind) => ({
    kind,
    ...strip(
      kind.label,
      (layer) => weights.row(kind.name, layer, sight.token, inAllLayers(sight)),
      () => sight.token,
    ),
  }));
  const rollout = strip(
    "rollout",
    (layer) => arrays.rollout.subarray(layer * N, (layer + 1) * N),
    () => 0,
  );
  const ticks = element(
    "div",
    { className: "ticks" },
    ...header.layers.map((/** @type {number} */ n, /** @type {number} */ at) =>
      element("span", {}, at ? String(n) : `layer ${n}`),
    ),
  );
  ticks.style.setProperty("--cells", String(L));
  const strips = [...kinds, rollout];
  const node = element(
    "div",
    { className: "films" },
    ...strips.flatMap(({ title, film }) => [title, film.node]),
    element("span"),
    ticks,
  );
  node.style.maxWidth = `${90 + 118 * L}px`;
  const rolloutTop = () =>
    topOf([...header.layers.keys()].map(rollout.row), hiddenOf(store.state, 0, header.sinks));
  return {
    node,
    rolloutTop,
    /** @param {any} now what is seen @param {(row: ArrayLike<number>) => number} end */
    draw(now, end) {
      sight = now;
      for (const { kind, film, row, title } of kinds) {
        film.node.hidden = title.hidden = !now.kinds.includes(kind);
        film.paint((_, layer) => ({ weights: row(layer), first: 1, end: end(row(layer)) }), table);
        film.mark([[0, now.layer]]);
      }
      const shared = rolloutTop();
      const top = (/** @type {ArrayLike<number>} */ row) =>
        store.state.own ? topOf([row], hiddenOf(store.state, 0, header.sinks)) : shared;
      rollout.film.paint(
        (_, layer) => ({ weights: rollout.row(layer), first: 1, end: top(rollout.row(layer)) }),
        table,
      );
    },
  };
}

/** Where the class token looks, head by head, and what each head is like. A click shows one head alone.
 * @param {any} figure @param {any} hint a line for what is pointed at */
export function createHeads({ header, arrays, store, weights, table }, hint) {
  const grid = header.grids[0];
  const [L, H] = [header.layers.length, header.heads];
  const mean = () => {
    const { pinned } = store.state;
    store.dispatch({
      type: "set",
      values: { head: null, pinned: sameCell(pinned, CLASS) ? null : pinned },
    });
  };
  const choose = (/** @type {number} */ head, /** @type {number} */ layer) => {
    const { state } = store;
    const all = header.headed.includes(header.layers[layer]); // else only [class] has single heads there
    if (state.head === head && state.layer === layer) mean();
    else
      store.dispatch({
        type: "set",
        values: { head, layer, ...(all ? {} : { pinned: CLASS, hover: null }) },
      });
  };
  const merits = (/** @type {number} */ head, /** @type {number} */ layer) =>
    header.statistics
      .map(
        (/** @type {any} */ s) =>
          `${s.label} ${format(arrays[s.name][layer * H + head])}${s.unit && ` ${s.unit}`}`,
      )
      .join(", ");
  const place = (/** @type {number} */ head, /** @type {number} */ layer) =>
    `layer ${header.layers[layer]}, head ${head}`;
  const keys = "Arrows move, Enter shows one head alone, Escape the mean.";
  const grids = header.kinds.map((/** @type {any} */ kind) => {
    const row = (/** @type {number} */ head, /** @type {number} */ layer) =>
      weights.row(kind.name, layer, 0, head);
    const point = (/** @type {[number, number] | null} */ cell) => {
      const most = cell ? strongest(row(...cell), 0) : 0;
      const words =
        cell &&
        `most on ${nameOf(most, grid)}, ${format(row(...cell)[most])}; q-k of this head: ${merits(...cell)}`;
      hint.textContent = cell ? `${place(...cell)}, ${kind.label} of [class]: ${words}` : "\u00a0";
    };
    const label = `${kind.label} attention of the class token, heads down, layers across. ${keys}`;
    const film = createFilm({ rows: H, columns: L, ...grid, choose, again: mean, point, label });
    const node = element("div", {}, element("b", {}, `${kind.label} of [class], head by head`));
    return { kind, row, film, note: element("small"), node };
  });
  const size = { height: 6, width: 8 };
  const strips = header.statistics.map((/** @type {any} */ s) => {
    const values = arrays[s.name];
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const point = (/** @type {[number, number] | null} */ cell) => {
      hint.textContent = cell
        ? `${place(...cell)}: ${merits(...cell)} (${s.label}: ${s.meaning})`
        : "\u00a0";
    };
    const label = `${s.label} of every head, heads down, layers across. ${keys}`;
    const film = createFilm({ rows: H, columns: L, ...size, choose, again: mean, point, label });
    const patch = (/** @type {number} */ value) =>
      new Float32Array(size.height * size.width).fill(value);
    film.paint(
      (head, layer) => ({
        weights: patch(values[layer * H + head] - low),
        first: 0,
        end: high - low,
      }),
      table,
      linearIndex,
    );
    const range = element(
      "small",
      {},
      `${format(low)} (dark) to ${format(high)} (yellow) ${s.unit}`,
    );
    const node = element("div", { title: s.meaning }, element("b", {}, s.label), film.node, range);
    return { film, node };
  });
  const beside = element("div", { className: "merits" }, ...strips.map(({ node }) => node));
  beside.style.setProperty("--wide", "190px");
  for (const { node, film, note } of grids) {
    node.append(film.node, note);
    node.style.setProperty("--wide", `${Math.min(420, 62 * L)}px`);
  }
  const everyPatch = header.headed.length
    ? `; heads of layer ${header.headed.join(", ")} answer for every patch`
    : "";
  let painted = "";
  return {
    node: element(
      "div",
      { className: "heads" },
      ...grids.map((/** @type {any} */ { node }) => node),
      beside,
    ),
    /** @param {any} sight */
    draw(sight) {
      for (const { film } of [...grids, ...strips])
        film.mark(sight.head === null ? [[0, sight.layer, H]] : [[sight.head, sight.layer]]);
      for (const { kind, node } of grids) node.hidden = !sight.kinds.includes(kind);
      const { own, withoutClass, withoutSinks, withoutSelf } = store.state;
      if (painted === (painted = `${own} ${withoutClass} ${withoutSinks} ${withoutSelf}`)) return;
      const hidden = hiddenOf(store.state, 0, header.sinks);
      for (const { row, film, note } of grids) {
        const rows = [...header.layers.keys()].flatMap((layer) =>
          Array.from({ length: H }, (_, head) => row(head, layer)),
        );
        const shared = topOf(rows, hidden);
        const end = (/** @type {ArrayLike<number>} */ weights) =>
          own ? topOf([weights], hidden) : shared;
        film.paint(
          (head, layer) => ({ weights: row(head, layer), first: 1, end: end(row(head, layer)) }),
          table,
        );
        note.textContent = own
          ? "each on its own scale, from 0"
          : `one scale, 0 to ${format(shared)}; heads down, layers across${everyPatch}`;
      }
    },
  };
}
