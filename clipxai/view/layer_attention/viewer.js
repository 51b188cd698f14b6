// Where does a patch look? Point at the image: the maps answer, one for each kind of attention, in one layer large and in all layers small.
// @ts-check
import {
  createFrame,
  createMapControls,
  createPlainTable,
  createSelect,
  createStage,
  createStyle,
  createSwitch,
  createTableDetails,
  viewerLaterOf,
} from "../browser/controls.js";
import {
  cellBox,
  context2d,
  dimOutside,
  fitToScreen,
  markCell,
  paintBar,
} from "../browser/draw.js";
import { createFilms, createHeads, FILM_STYLE, paintCells } from "./filmstrip.js";
import { below, isFlag, isShare, keep, oneOf, patchIn, restored } from "../browser/keep.js";
import { createPicture, pointing, rankOf } from "../browser/panel.js";
import { createChips, createShell, element } from "../browser/shell.js";
import { clamp, createStore, focused, sameCell } from "../browser/state.js";
import {
  answersByHead,
  captionOf,
  cellOf,
  CLASS,
  createWeights,
  hiddenOf,
  inAllLayers,
  meanDistance,
  nameOf,
  strongest,
  tokenOf,
  topOf,
  written,
} from "./weights.js";
import { format } from "../browser/number.js";

const HELP =
  "Move over the image: the maps show where the patch under the pointer looks. Click to pin it, click it again or press Esc " +
  "to unpin it. Move over a map to read its weights; click there to ask that patch. Click a small map for its layer, a head for that head " +
  "alone; click again, double-click or press Esc for the mean. Keys: arrows move the query, [ and ] the layer, " +
  "c asks the class token, Space pins, ? shows this line. Layers, heads, rows and columns count from 0, as in Python.";
const START = {
  hover: null,
  pinned: null,
  help: false,
  reading: null,
  head: null,
  kind: null,
  own: false,
  withoutClass: true,
  withoutSinks: true,
  withoutSelf: true,
  alpha: 0.7,
  smooth: false,
};

/** What is to be seen in a state: one query token in one layer, mean of heads or, where it is known, one head.
 * @param {any} header @param {any} state */
export function sightOf(header, state) {
  const cell = focused(state);
  const token = cell ? tokenOf(cell, header.grids[0]) : header.query;
  const kinds = header.kinds.filter(
    (/** @type {any} */ kind) => state.kind === null || kind.name === state.kind,
  );
  return {
    token,
    layer: state.layer,
    head: answersByHead(header, state.layer, token) ? state.head : null,
    kinds,
  };
}

/** Build the figure. @param {any} model @param {HTMLElement} el @param {Record<string, any>} arrays @returns {() => void} */
function show(model, el, arrays) {
  const { header } = model.get("payload");
  const checks = checksOf(header);
  const store = createStore(
    { ...START, layer: header.layer, ...restored(model.get("view"), checks) },
    header.grids,
  );
  const figure = {
    header,
    arrays,
    store,
    weights: createWeights(header, arrays),
    table: arrays.viridis,
  };
  const [asked, answers] = [
    createAsked(figure),
    header.kinds.map((/** @type {any} */ kind) => createAnswer(figure, kind)),
  ];
  const hint = element("output", { className: "hint" }, "\u00a0");
  const films = createFilms(figure, hint);
  const heads = createHeads(figure, hint);
  const keys =
    "Arrow keys move the query, brackets the layer, Space pins, Escape unpins, question mark helps.";
  const pictures = [asked, ...answers].map(({ node }) => node);
  const stage = createStage(header.summary, keys, store, keysOf(figure), ...pictures);
  stage.classList.add("attention");
  const caption = element("div", { className: "caption" });
  const help = element("p", { className: "help", hidden: true }, HELP);
  const table = createTableDetails("Table: the 10 patches it looks at most", () => tableOf(figure));
  const frame = createFrame(() => draw());
  const shell = createShell(el, model.get("css"), () => draw(true));
  const controls = createControls(figure);
  shell.root.append(
    createStyle(FILM_STYLE),
    controls.node,
    stage,
    films.node,
    hint,
    heads.node,
    caption,
    help,
    table.details,
  );

  let said = "";
  const draw = (fresh = false) => {
    const { state } = store;
    const sight = sightOf(header, state);
    const hidden = hiddenOf(state, sight.token, header.sinks);
    const rows = (/** @type {any} */ kind) => [
      figure.weights.row(kind.name, sight.layer, sight.token, sight.head),
      ...[...header.layers.keys()].map((layer) =>
        figure.weights.row(kind.name, layer, sight.token, inAllLayers(sight)),
      ),
    ];
    const shared = topOf(sight.kinds.flatMap(rows), hidden);
    const end = (/** @type {ArrayLike<number>} */ row) =>
      state.own ? topOf([row], hidden) : shared;
    asked.draw(sight, fresh);
    for (const answer of answers) answer.draw(sight, end, fresh);
    films.draw(sight, end);
    heads.draw(sight);
    const lines = captionOf(header, state, sight, shared, films.rolloutTop());
    if (said !== (said = lines.join("\n")))
      caption.replaceChildren(...lines.map((line) => element("p", {}, line)));
  };
  const update = (/** @type {any} */ now, /** @type {any} */ before) => {
    help.hidden = !now.help;
    controls.show(now);
    const shown = sightOf(header, now).kinds.length;
    stage.style.setProperty("--columns", String(1 + shown));
    stage.style.setProperty("--alpha", String(now.alpha));
    stage.classList.toggle("smooth", now.smooth);
    const same =
      sameCell(focused(now), focused(before)) &&
      now.layer === before.layer &&
      sameCell(now.reading, before.reading);
    if (!same) shell.speak(spoken(figure));
    keep(model, now, before, checks);
    if (!sameCell(now.pinned, before.pinned)) table.show();
    frame.ask();
  };
  store.subscribe(update);
  update(store.state, store.state);
  return () => {
    frame.cancel();
    shell.close();
  };
}

/** What is kept of the state, and when it fits; [class] may be pinned too. @param {any} header */
function checksOf(header) {
  const pinned = (/** @type {any} */ cell) => patchIn(header.grids)(cell) || sameCell(cell, CLASS);
  return {
    layer: below(header.layers.length),
    head: (/** @type {any} */ head) => head === null || below(header.heads)(head),
    kind: oneOf([null, ...header.kinds.map((/** @type {any} */ kind) => kind.name)]),
    own: isFlag,
    withoutClass: isFlag,
    withoutSinks: isFlag,
    withoutSelf: isFlag,
    alpha: isShare,
    smooth: isFlag,
    pinned,
  };
}

/** What keys do here beyond what they do in every viewer. @param {any} figure @returns {Record<string, () => void>} */
function keysOf({ header, store }) {
  const grid = header.grids[0];
  const here = () => sightOf(header, store.state).token;
  const move = (/** @type {number} */ down, /** @type {number} */ right) => () => {
    const from = here()
      ? cellOf(here(), grid)
      : { row: (grid.height >> 1) - down, column: (grid.width >> 1) - right };
    const [row, column] = [
      clamp(from.row + down, grid.height),
      clamp(from.column + right, grid.width),
    ];
    store.dispatch({ type: "hover", cell: { grid: 0, row, column } });
  };
  const layer = (/** @type {number} */ by) => () =>
    store.dispatch({
      type: "set",
      values: { layer: clamp(store.state.layer + by, header.layers.length) },
    });
  const pin = () => store.dispatch({ type: "pin", cell: cellOf(here(), grid) });
  return {
    ArrowUp: move(-1, 0),
    ArrowDown: move(1, 0),
    ArrowLeft: move(0, -1),
    ArrowRight: move(0, 1),
    "[": layer(-1),
    "]": layer(1),
    c: () => store.dispatch({ type: "hover", cell: CLASS }),
    " ": pin,
    Enter: pin,
    Escape: () => startOver(store),
  };
}

/** Back to the first query and to the mean of heads. @param {any} store */
function startOver(store) {
  store.dispatch({ type: "set", values: { head: null } });
  store.dispatch({ type: "unpin" });
}

/** @param {any} figure */
function createControls({ header, store }) {
  const set = (/** @type {object} */ values) => store.dispatch({ type: "set", values });
  const choices = [
    { name: header.kinds.length > 2 ? "all" : "both", value: null },
    ...header.kinds.map((/** @type {any} */ kind) => ({ name: kind.label, value: kind.name })),
  ];
  const chips = createChips("kind of attention", choices, (kind) => set({ kind }));
  const sinks = header.sinks.length;
  const node = element(
    "div",
    { className: "controls" },
    ...(header.kinds.length > 1 ? [chips.bar] : []),
    createSelect(
      "colours",
      ["one scale for all layers", "each map on its own scale"],
      Number(store.state.own),
      (n) => set({ own: n === 1 }),
    ),
    element("span", {}, "leave out of the scale:"),
    createSwitch("[class]", store.state.withoutClass, (withoutClass) => set({ withoutClass })),
    createSwitch(
      `sinks (${sinks})`,
      store.state.withoutSinks,
      (withoutSinks) => set({ withoutSinks }),
      { disabled: !sinks },
    ),
    createSwitch("the query itself", store.state.withoutSelf, (withoutSelf) =>
      set({ withoutSelf }),
    ),
    ...createMapControls(store),
  );
  return { node, show: (/** @type {any} */ state) => chips.show(state.kind) };
}

/** Frame the query on a canvas, with a cross-hair through what is pointed at. @param {HTMLCanvasElement} canvas @param {any} header
 * @param {number} token @param {any} cross @param {boolean} pinned @param {boolean} dimmed what the model did not see is */
function drawQuery(canvas, header, token, cross, pinned, dimmed) {
  const context = context2d(canvas);
  context.clearRect(0, 0, canvas.width, canvas.height);
  if (dimmed) dimOutside(canvas, header.grids[0], 0.3);
  if (cross && cross.row >= 0) markCell(canvas, header.grids[0], cross, pinned);
  if (!token) return;
  const [x, y, width, height] = cellBox(header.grids[0], cellOf(token, header.grids[0]), canvas);
  const unit = globalThis.devicePixelRatio || 1;
  for (const [colour, line] of /** @type {[string, number][]} */ ([
    ["#202020", 4],
    ["#fff", 2],
  ])) {
    context.strokeStyle = colour;
    context.lineWidth = line * unit;
    context.strokeRect(x, y, width, height);
  }
}

/** The image: who is asked. @param {any} figure */
function createAsked({ header, store }) {
  const grid = header.grids[0];
  const marks = element("canvas", { className: "layer" });
  const picture = createPicture(header, 0, [marks], pointing(store));
  const chip = element(
    "button",
    {
      type: "button",
      className: "chip",
      title: "the class token, which stands for the whole image",
      onpointerenter: () => store.dispatch({ type: "hover", cell: CLASS }),
      onpointerleave: () => store.dispatch({ type: "leave" }),
      onclick: () => store.dispatch({ type: "pin", cell: CLASS }),
    },
    "[class]",
  );
  const own = [" ", "Enter"]; // keys that press the chip, not the stage
  chip.addEventListener(
    "keydown",
    (/** @type {KeyboardEvent} */ event) => own.includes(event.key) && event.stopPropagation(),
  );
  const who = element("output", { className: "status" });
  const node = element(
    "figure",
    { className: "panel photo" },
    element(
      "figcaption",
      {},
      element("b", {}, "image"),
      element("span", {}, "move over it to ask a patch"),
    ),
    picture,
    chip,
    who,
  );
  node.style.gridTemplateRows = "auto auto auto auto";
  chip.style.justifySelf = "start";
  return {
    node,
    /** @param {any} sight @param {boolean} fresh */
    draw({ token, head }, fresh) {
      if (fresh) fitToScreen(marks);
      const { pinned } = store.state;
      drawQuery(
        marks,
        header,
        token,
        token ? cellOf(token, grid) : null,
        sameCell(pinned, cellOf(token, grid)),
        false,
      );
      chip.setAttribute("aria-pressed", String(token === 0));
      const held = pinned && tokenOf(pinned, grid) === token ? " (pinned; Esc unpins)" : "";
      who.textContent = `query: ${nameOf(token, grid)}${head === null ? "" : `, head ${head} alone`}${held}`;
    },
  };
}

/** A large map: where the query looks, by one kind of attention in one layer. @param {any} figure @param {any} kind */
function createAnswer({ header, store, weights, table }, kind) {
  const grid = header.grids[0];
  const cells = element("canvas", { className: "cells", width: grid.width, height: grid.height });
  const marks = element("canvas", { className: "layer" });
  const [top, left, bottom, right] = grid.box;
  const [H, W] = grid.image_size;
  Object.assign(cells.style, {
    left: `${(100 * left) / W}%`,
    top: `${(100 * top) / H}%`,
    width: `${(100 * (right - left)) / W}%`,
    height: `${(100 * (bottom - top)) / H}%`,
  });
  const read = (/** @type {any} */ reading) => {
    if (!sameCell(store.state.reading, reading))
      store.dispatch({ type: "set", values: { reading } });
  };
  const picture = createPicture(header, 0, [cells, marks], { ...pointing(store), over: read });
  const [subtitle, bar] = [element("span"), element("canvas", { className: "bar" })];
  const [numbers, readout] = [
    element("div", { className: "numbers" }),
    element("output", { className: "readout" }),
  ];
  const node = element(
    "figure",
    { className: "panel" },
    element(
      "figcaption",
      { title: kind.meaning },
      element("b", {}, `${kind.label} attention`),
      subtitle,
    ),
    picture,
    bar,
    numbers,
    readout,
  );
  const pixels = context2d(cells).createImageData(grid.width, grid.height);
  paintBar(bar, table);
  return {
    node,
    /** @param {any} sight @param {(row: ArrayLike<number>) => number} end @param {boolean} fresh */
    draw(sight, end, fresh) {
      node.hidden = !sight.kinds.includes(kind);
      if (node.hidden) return;
      if (fresh || marks.width < 2) fitToScreen(marks);
      const { token, layer, head } = sight;
      const row = weights.row(kind.name, layer, token, head);
      paintCells(pixels, 0, 0, row, 1, grid, end(row), table);
      context2d(cells).putImageData(pixels, 0, 0);
      drawQuery(marks, header, token, store.state.reading, false, true);
      subtitle.textContent = `layer ${header.layers[layer]} · on [class] ${format(row[0])}`;
      numbers.replaceChildren(
        ...[0, 0.25, 1].map((part) => element("span", {}, format(part * end(row)))),
      );
      readout.textContent = readingOf({ header, store, weights }, kind, sight);
    },
  };
}

/** What a map has to say of the patch that is pointed at, or else of the query.
 * @param {any} figure @param {any} kind @param {any} sight @returns {string} */
function readingOf({ header, store, weights }, kind, { token, layer, head }) {
  const grid = header.grids[0];
  const row = weights.row(kind.name, layer, token, head);
  const tell = (/** @type {number} */ to) =>
    `${nameOf(to, grid)}: ${written(row[to], weights.error(kind.name, layer, token, head, to))}`;
  const { reading } = store.state;
  const at = reading && tokenOf(reading, grid);
  if (at) return `${tell(at)}\nrank about ${rankOf(row.subarray(1), row[at])} of ${row.length - 1}`;
  const far = token
    ? `\nitself ${format(row[token])}, mean distance ${meanDistance(row, token, grid).toFixed(1)} patches`
    : "";
  return `most: ${tell(strongest(row, token))}${far}`;
}

/** What a screen reader says. @param {any} figure @returns {string} */
function spoken(figure) {
  const sight = sightOf(figure.header, figure.store.state);
  const maps = sight.kinds.map(
    (/** @type {any} */ kind) => `${kind.label}: ${readingOf(figure, kind, sight)}`,
  );
  const { grids, layers } = figure.header;
  return `query ${nameOf(sight.token, grids[0])}, layer ${layers[sight.layer]}; ${maps.join("; ").replaceAll("\n", "; ")}`;
}

/** What the query looks at most by the first kind, and what the others say of it. @param {any} figure */
function tableOf({ header, store, weights }) {
  const { token, layer, head, kinds } = sightOf(header, store.state);
  const rows = kinds.map((/** @type {any} */ kind) => weights.row(kind.name, layer, token, head));
  const order = [...rows[0].keys()].sort((a, b) => rows[0][b] - rows[0][a]).slice(0, 10);
  const numbers = (/** @type {number} */ to) =>
    kinds.map((/** @type {any} */ kind, /** @type {number} */ n) =>
      written(rows[n][to], weights.error(kind.name, layer, token, head, to)),
    );
  const lines = order.map((to, rank) => [rank + 1, nameOf(to, header.grids[0]), ...numbers(to)]);
  return createPlainTable(
    `What ${nameOf(token, header.grids[0])} looks at in layer ${header.layers[layer]}, by ${kinds[0].label}`,
    ["rank", "token", ...kinds.map((/** @type {any} */ kind) => kind.label)],
    lines,
  );
}

export default viewerLaterOf(show);
