// Do methods agree about where a text is? Maps of one image side by side under one cross-hair.
// @ts-check
import {
  createFrame,
  createMapControls,
  createPlainTable,
  createSelect,
  createStage,
  createTableDetails,
  nameStage,
} from "../browser/controls.js";
import { unpack } from "../browser/decode.js";
import { below, isFlag, isShare, keep, oneOf, patchIn, restored } from "../browser/keep.js";
import { createMapPanel, createPhotoPanel } from "../browser/panel.js";
import { createChips, createShell, element, titleOf } from "../browser/shell.js";
import { createStore, focused, sameCell } from "../browser/state.js";
import { format } from "../browser/number.js";

const HELP =
  "Move over a map to read it. Click to pin a patch, click it again or press Esc to unpin it. Arrow keys move by one patch, " +
  "Space pins, ? shows this line. Rows and columns count from 0, as in explanation.scores.";
const KEYS = "Arrow keys move over the patches, Space pins, Escape unpins, question mark helps.";
const MOST_IN_TABLE = 10;
const OVERLAYS = ["nothing", "mask", "points for SAM"]; // what is drawn over the maps from a threshold
const THRESHOLDS = [0.5, 0.5, 0.8]; // those that Explanation.mask and Explanation.points begin with

/** @param {{model: any, el: HTMLElement}} context @returns {() => void} */
function render({ model, el }) {
  let figure = show(model, el);
  const again = () => {
    if (figure.take(model.get("payload"))) return;
    figure.close();
    figure = show(model, el);
  };
  model.on("change:payload", again);
  return () => {
    model.off("change:payload", again);
    figure.close();
  };
}

/**
 * Build the whole figure from the model's payload. `take` puts another payload into it, if that has the same layout; false if it has not.
 * @param {any} model @param {HTMLElement} el
 */
function show(model, el) {
  const payload = model.get("payload");
  let { header } = payload;
  let arrays = unpack(payload);
  let checks = checksOf(header);
  const first = {
    hover: null,
    pinned: null,
    help: false,
    text: header.text,
    scaling: 0,
    alpha: 0.6,
    smooth: true,
    overlay: 0,
    threshold: 0.5,
  };
  const store = createStore({ ...first, ...restored(model.get("view"), checks) }, header.grids);
  /** @type {ReturnType<typeof createMapPanel>[]} */
  let panels = [];
  const parts = createParts(header, store, () => createTable(panels.filter((panel) => panel.spec)));
  const redraw = () => panels.forEach((panel) => panel.draw(store.state));
  const shell = createShell(el, model.get("css"), redraw);
  shell.root.classList.add("comparison");
  shell.root.append(
    parts.controls,
    parts.stage,
    parts.status,
    parts.caption,
    parts.help,
    parts.table.details,
  );

  const build = () => {
    const cells = cellsOf(header, store.state.text);
    parts.stage.style.setProperty("--columns", String(Math.max(...cells.map((row) => row.length))));
    panels = cells
      .flat()
      .map((n) =>
        n === null ? createPhotoPanel(header, store) : createMapPanel(header, arrays, n, store),
      );
    parts.stage.replaceChildren(...panels.map((panel) => panel.node));
    redraw();
  };
  const describe = () => {
    const { caption } = header.scalings[store.state.scaling];
    parts.caption.replaceChildren(
      ...[caption, ...header.notes, ...header.dropped].map((line) => element("p", {}, line)),
    );
    parts.table.show();
  };
  const frame = createFrame(() => panels.forEach((panel) => panel.update(store.state)));
  const update = (/** @type {any} */ now, /** @type {any} */ before) => {
    parts.show(now);
    if (now.text !== before.text) build();
    if (now.text !== before.text || now.scaling !== before.scaling) describe();
    if (!sameCell(focused(now), focused(before))) shell.speak(spoken(now, panels));
    keep(model, now, before, checks);
    frame.ask();
  };
  store.subscribe(update);
  parts.show(store.state);
  build();
  describe();
  const take = (/** @type {any} */ next) => {
    const { state } = store;
    if (layoutOf(header, state.text) !== layoutOf(next.header, state.text)) return false;
    [header, arrays, checks] = [next.header, unpack(next), checksOf(next.header)];
    parts.name(header, state);
    for (const panel of panels.filter((panel) => panel.take)) panel.take(header, arrays);
    for (const panel of panels) panel.update(state);
    describe();
    return true;
  };
  const close = () => {
    frame.cancel();
    shell.close();
  };
  return { take, close };
}

/** What decides where everything stands: payloads that agree in it differ in words and numbers only. @param {any} header @param {string | null} text */
function layoutOf(header, text) {
  const sources = header.panels.map((/** @type {any} */ panel) => panel.source);
  return JSON.stringify([
    header.photo,
    header.grids,
    sources,
    header.texts.length,
    cellsOf(header, text),
  ]);
}

/** What is kept of the state, and when it fits. @param {any} header */
export function checksOf(header) {
  return {
    text: oneOf([null, ...header.texts]),
    scaling: below(header.scalings.length),
    alpha: isShare,
    smooth: isFlag,
    overlay: below(OVERLAYS.length),
    threshold: isShare,
    pinned: patchIn(header.grids),
  };
}

/** Panels of one text, or of all: numbers in rows, null for the photo. @param {any} header @param {string | null} text @returns {(number | null)[][]} */
export function cellsOf(header, text) {
  if (text === null) return header.rows;
  const numbers = header.panels.flatMap((/** @type {any} */ panel, /** @type {number} */ n) =>
    panel.text === text ? [n] : [],
  );
  const cells = [null, ...numbers];
  const columns = [5, 6, 9].includes(cells.length) ? 3 : 4; // as panels.py has it
  return Array.from({ length: Math.ceil(cells.length / columns) }, (_, row) =>
    cells.slice(row * columns, (row + 1) * columns),
  );
}

/** Everything around the maps. @param {any} header @param {ReturnType<typeof createStore>} store @param {() => any} makeTable */
function createParts(header, store, makeTable) {
  const set = (/** @type {object} */ values) => store.dispatch({ type: "set", values });
  const chipsOf = (/** @type {string[]} */ texts) =>
    createChips(
      "text",
      [{ name: "all texts", value: null }, ...texts.map((text) => ({ name: text, value: text }))],
      (text) => set({ text }),
    );
  let chips = chipsOf(header.texts);
  const labels = header.scalings.map((/** @type {any} */ choice) => choice.label);
  const cut = element("input", {
    type: "range",
    min: "0",
    max: "100",
    oninput: () => set({ threshold: cut.valueAsNumber / 100 }),
  });
  const level = element("output");
  const threshold = element("label", {}, "threshold ", cut, level);
  const controls = element(
    "div",
    { className: "controls" },
    ...(header.texts.length > 1 ? [chips.bar] : []),
    createSelect("colours", labels, store.state.scaling, (scaling) => set({ scaling })),
    createSelect("overlay", OVERLAYS, store.state.overlay, (overlay) =>
      set({ overlay, threshold: THRESHOLDS[overlay] }),
    ),
    threshold,
    ...createMapControls(store),
  );
  const stage = createStage(header.summary, KEYS, store, {});
  const status = element("div", { className: "status" });
  const help = element("p", { className: "help", hidden: true }, HELP);
  const table = createTableDetails(`Table: the ${MOST_IN_TABLE} highest patches`, makeTable);
  /** @param {any} state */
  const show = (state) => {
    chips.show(state.text);
    help.hidden = !state.help;
    stage.style.setProperty("--alpha", String(state.alpha));
    threshold.hidden = !state.overlay;
    cut.value = String(Math.round(100 * state.threshold));
    level.textContent = state.threshold.toFixed(2);
    status.textContent = statusLine(state);
  };
  /** Everything that is called after the texts. @param {any} named @param {any} state */
  const name = (named, state) => {
    nameStage(stage, named.summary, KEYS);
    const before = chips;
    chips = chipsOf(named.texts);
    before.bar.replaceWith(chips.bar);
    chips.show(state.text);
  };
  chips.show(store.state.text);
  return {
    controls,
    stage,
    status,
    caption: element("div", { className: "caption" }),
    help,
    table,
    show,
    name,
  };
}

/** @param {any} state @returns {string} */
export function statusLine(state) {
  const cell = focused(state);
  if (!cell) return "Move over a map to read its patches; click to pin one.";
  const pinned = sameCell(cell, state.pinned);
  return `${pinned ? "pinned: " : ""}row ${cell.row}, column ${cell.column}${pinned ? " (Esc unpins)" : ""}`;
}

/** What a screen reader says of the focused patch. @param {any} state @param {any[]} panels @returns {string} */
function spoken(state, panels) {
  const cell = focused(state);
  if (!cell) return "no patch";
  const values = panels
    .filter((panel) => panel.spec)
    .map((panel) => `${titleOf(panel.spec.text)} by ${panel.spec.method}: ${panel.read(cell)}`);
  return `row ${cell.row} column ${cell.column}; ${values.join("; ")}`;
}

/** The highest patches of the first map, and what the other maps say of them. @param {any[]} maps */
function createTable(maps) {
  const [first] = maps;
  const order = [...first.values.keys()]
    .filter((n) => !Number.isNaN(first.values[n]))
    .sort((a, b) => first.values[b] - first.values[a]);
  const head = [
    "rank",
    "row",
    "column",
    ...maps.map(({ spec }) => `${titleOf(spec.text)} · ${spec.method}`),
  ];
  const rows = order.slice(0, MOST_IN_TABLE).map((n, rank) => {
    const cell = {
      grid: first.spec.source,
      row: Math.floor(n / first.grid.width),
      column: n % first.grid.width,
    };
    const numbers = maps
      .map((panel) => panel.at(cell))
      .map((value) => (value === null ? "outside" : format(value)));
    return [rank + 1, cell.row, cell.column, ...numbers];
  });
  return createPlainTable(
    `Highest patches of “${titleOf(first.spec.text)}” by ${first.spec.method}`,
    head,
    rows,
  );
}

export default { render };
