// Which word goes with which patch? A sentence as chips, the map of the word under the pointer, and pinned words as small multiples.
// @ts-check
import { CHIP_STYLE, colourOf, createRanking, createSentence, ranked } from "../browser/chips.js";
import {
  bringToLife,
  createMapControls,
  createPlainTable,
  createSelect,
  createStage,
  createSwitch,
  createTableDetails,
  viewerOf,
} from "../browser/controls.js";
import { unpack } from "../browser/decode.js";
import { below, isFlag, isShare, oneOf, patchIn, restored } from "../browser/keep.js";
import { createTextMatrix, MATRIX_STYLE } from "./text_matrix.js";
import { asMaps, createMapPanel, createPhotoPanel } from "../browser/panel.js";
import { element } from "../browser/shell.js";
import { clamp, createStore, focused, sameCell } from "../browser/state.js";
import { format } from "../browser/number.js";

const HELP =
  "Move over a word to see its map, click it to pin the map below, click again to unpin it. Move over a patch to colour the " +
  "words by its scores, click to pin the patch, Esc unpins it. Keys: arrows move by one patch, [ and ] by one word, Space pins " +
  "the patch, p the word, ? shows this line.";
const HINT = "Move over a word to see where it is, over a patch to see which words go with it.";
const RANKING = ["words by share of the match", "score of each word with the whole image"];
const STYLE = `
.words .stage { grid-template-columns: minmax(0, 1fr) minmax(0, 1fr) minmax(0, 1.05fr); align-items: start; }
.words .panel { grid-template-rows: auto auto 8px 18px 0 18px; align-self: start; }
.multiples { grid-column: 1 / -1; display: grid; grid-template-columns: repeat(auto-fill, minmax(180px, 1fr)); gap: 10px 18px; }
.multiples .readout { font-size: 12px; }
.pinbar { display: flex; gap: 10px; align-items: baseline; margin: 2px 0 -4px; grid-column: 1 / -1; color: var(--quiet); }
@container (max-width: 720px) { .words .stage { grid-template-columns: repeat(2, minmax(0, 1fr)); } .ranking { grid-column: 1 / -1; } }
@container (max-width: 720px) { .rows { flex: none; max-height: none; } }
@container (max-width: 720px) { .multiples { grid-template-columns: repeat(auto-fill, minmax(130px, 1fr)); } }
`;

/** @param {any} model @param {HTMLElement} el @returns {() => void} */
function buildWords(model, el) {
  const payload = model.get("payload");
  const { header } = payload;
  const arrays = unpack(payload);
  const { word, pins, path } = header;
  const said = header.tokens.join(" ");
  const view = ofSentence(model.get("view"), said);
  const first = {
    hover: null,
    pinned: null,
    help: false,
    scaling: 0,
    alpha: 0.6,
    smooth: true,
    mode: 0,
    path,
    word,
    pins,
    preview: null,
    said,
  };
  const units = header.modes[view.mode === 1 ? 1 : 0].units.length;
  const checks = {
    said: oneOf([said]),
    mode: below(2),
    path: below(header.paths.length),
    word: below(units),
    scaling: below(2),
    alpha: isShare,
    smooth: isFlag,
    pinned: patchIn(header.grids),
    pins: (/** @type {any} */ pins) => Array.isArray(pins) && pins.every(below(units)),
  };
  const store = createStore({ ...first, ...restored(view, checks) }, header.grids);
  const set = (/** @type {object} */ values) => store.dispatch({ type: "set", values });
  const on = {
    preview: (/** @type {number | null} */ n) => n !== store.state.preview && set({ preview: n }),
    toggle: (/** @type {number} */ n) => set({ pins: toggled(store.state.pins, n), word: n }),
  };
  const parts = createWordParts(header, arrays, store, on);
  const change = (/** @type {any} */ now, /** @type {any} */ before) => {
    if (now.mode !== before.mode || now.path !== before.path || now.scaling !== before.scaling)
      parts.rebuild();
    else {
      if (now.pins !== before.pins) parts.arrange();
      if (current(now) !== current(before)) parts.enlarge();
    }
  };
  const says = (/** @type {any} */ state) => wordStatus(parts.view, state);
  const css = CHIP_STYLE + MATRIX_STYLE + STYLE;
  const nodes = [createWordControls(header, store), ...parts.nodes];
  return bringToLife(model, el, {
    name: "words",
    css,
    store,
    checks,
    ...parts,
    nodes,
    change,
    says,
  });
}

/** A kept view; of another sentence it keeps everything but the words. @param {any} view @param {string} said */
export function ofSentence(view, said) {
  return view?.said === said ? view : { ...view, word: null, pins: null };
}

/**
 * Everything below the controls. `rebuild` after another choice of path, scale or units, `arrange` after other pins, `enlarge` after
 * another word, `paint` after anything; `draw` also what only time or size can spoil.
 * @param {any} header @param {Record<string, any>} arrays @param {any} store @param {any} on
 */
function createWordParts(header, arrays, store, on) {
  const step = (/** @type {number} */ by) =>
    store.dispatch({
      type: "set",
      values: { preview: null, word: clamp(store.state.word + by, parts.view.units.length) },
    });
  const unpinAll = () => store.dispatch({ type: "set", values: { pins: [] } });
  const clear = element(
    "button",
    { type: "button", className: "chip", onclick: unpinAll },
    "unpin all",
  );
  const [label, multiples] = [element("span"), element("div", { className: "multiples" })];
  const pinbar = element("div", { className: "pinbar" }, label, clear);
  const keys =
    "Arrow keys move over the patches, brackets over the words, Space pins, question mark helps.";
  const stage = createStage(header.summary, keys, store, {
    "[": () => step(-1),
    "]": () => step(1),
    p: () => on.toggle(store.state.word),
  });
  const status = element("div", { className: "status" });
  const caption = element("div", { className: "caption" });
  const help = element("p", { className: "help", hidden: true }, HELP);
  const table = createTableDetails("Table: all words", () =>
    createWordTable(parts.view, header.grids[0]),
  );
  const matrix = createTextMatrix(header.tokens, header.layers, arrays.attention, arrays.viridis);
  const inner = element(
    "details",
    { ontoggle: () => inner.open && matrix.draw() },
    element("summary", {}, "The text's own attention"),
    matrix.node,
  );
  const photo = createPhotoPanel(header, store);
  /** @type {any} */ let large, small, sentence, ranking;
  const panels = () => [photo, large, ...small];
  const parts = {
    view: viewOf(header, arrays, store.state),
    nodes: [stage, status, help, caption, inner, table.details],
    rebuild() {
      const { state } = store;
      const view = (parts.view = viewOf(header, arrays, state));
      sentence = createSentence(view.units, on);
      ranking = createRanking(view.units, view.whole, on, RANKING, "with the whole image");
      large = createMapPanel(view.header, view.arrays, current(state), store);
      stage.replaceChildren(sentence.bar, photo.node, large.node, ranking.node, pinbar, multiples);
      parts.arrange();
      photo.draw(state);
      large.draw(state);
      const lines = [view.captions[state.scaling], ...header.notes, ...header.dropped];
      caption.replaceChildren(...lines.map((line) => element("p", {}, line)));
      table.show();
    },
    arrange() {
      const { state } = store;
      label.textContent = state.pins.length
        ? "pinned words"
        : "no pinned words: click one to keep its map here";
      clear.hidden = !state.pins.length;
      small = state.pins.map((/** @type {number} */ n) =>
        createMapPanel(parts.view.header, parts.view.arrays, n, store),
      );
      multiples.replaceChildren(...small.map((/** @type {any} */ panel) => panel.node));
      for (const panel of small) panel.draw(state);
    },
    enlarge() {
      const next = createMapPanel(
        parts.view.header,
        parts.view.arrays,
        current(store.state),
        store,
      );
      large.node.replaceWith(next.node);
      large = next;
      large.draw(store.state);
    },
    paint() {
      const { state } = store;
      help.hidden = !state.help;
      stage.style.setProperty("--alpha", String(state.alpha));
      sentence.show({ word: current(state), pins: state.pins }, lookOf(parts.view, state));
      ranking.show(current(state));
      status.textContent = wordStatus(parts.view, state);
      for (const panel of panels()) panel.update(state);
    },
    draw() {
      if (!large) return;
      for (const panel of panels()) panel.draw(store.state);
      if (inner.open) matrix.draw();
    },
  };
  return parts;
}

/** The word whose map is large. @param {any} state @returns {number} */
export function current(state) {
  return state.preview ?? state.word;
}

/** Pinned words with one more or one less, as they stand in the sentence. @param {number[]} pins @param {number} n @returns {number[]} */
export function toggled(pins, n) {
  return pins.includes(n)
    ? pins.filter((other) => other !== n)
    : [...pins, n].sort((a, b) => a - b);
}

/**
 * The same words among other units, words or pieces: where a word's first token went.
 * @param {any} header @param {any} state @param {number} mode
 */
export function amongUnits(header, state, mode) {
  const [from, to] = [header.modes[state.mode].units, header.modes[mode].units];
  const place = (/** @type {number} */ n) =>
    to.findIndex(
      (/** @type {any} */ unit) => unit.start <= from[n].start && from[n].start < unit.stop,
    );
  return {
    mode,
    word: place(state.word),
    pins: [...new Set(state.pins.map(place))],
    preview: null,
  };
}

/**
 * Values of tokens (S, P) as values of words (W, P): the mean over each word's tokens.
 * @param {ArrayLike<number>} values @param {{start: number, stop: number}[]} units @param {number} size P @returns {Float32Array}
 */
export function meanOfPieces(values, units, size) {
  const means = new Float32Array(units.length * size);
  units.forEach(({ start, stop }, n) => {
    for (let i = 0; i < size; i++) {
      let sum = 0;
      for (let token = start; token < stop; token++) sum += values[token * size + i];
      means[n * size + i] = sum / (stop - start);
    }
  });
  return means;
}

/** Everything the panels need for one path, words or pieces. @param {any} header @param {Record<string, any>} arrays @param {any} state */
export function viewOf(header, arrays, state) {
  const { units, paths } = header.modes[state.mode];
  const choice = paths[state.path];
  const { height, width } = header.grids[0];
  const values = meanOfPieces(arrays[`scores${state.path}`], units, height * width);
  const tokens = header.tokens.length;
  const whole = meanOfPieces(
    arrays.whole.subarray(state.path * tokens, (state.path + 1) * tokens),
    units,
    1,
  );
  const span = (/** @type {number[]} */ [low, high], /** @type {string} */ colours) => ({
    low,
    high,
    colours,
  });
  const shared = units.map(() => span(choice.shared, "RdBu_r"));
  const own = choice.own.map((/** @type {number[]} */ ends) => span(ends, "viridis"));
  const scalings = [{ scales: shared }, { scales: own }];
  const titles = units.map((/** @type {any} */ unit, /** @type {number} */ n) => {
    const pieces = unit.stop - unit.start;
    return {
      text: unit.label,
      subtitle: `whole image ${format(whole[n])}${pieces > 1 ? ` · ${pieces} pieces` : ""}`,
      flat: choice.flat[n],
    };
  });
  return {
    units,
    values,
    whole,
    scalings,
    captions: choice.captions,
    size: height * width,
    tables: [arrays.RdBu_r, arrays.viridis],
    ...asMaps(header, arrays, values, titles, scalings),
  };
}

/** Colours and titles of the chips: of the focused patch, or none. @param {any} view @param {any} state */
function lookOf(view, state) {
  const cell = focused(state);
  const values = cell ? valuesAt(view, cell) : Array.from(view.whole);
  const where = cell ? `at row ${cell.row}, column ${cell.column}` : "with the whole image";
  const { scales } = view.scalings[state.scaling];
  const table = view.tables[state.scaling];
  return {
    titles: values.map(
      (/** @type {number} */ value, /** @type {number} */ n) =>
        `${view.units[n].label}: ${format(value)} ${where}${piecesOf(view, n)}`,
    ),
    colours: values.map((/** @type {number} */ value, /** @type {number} */ n) =>
      cell && Number.isFinite(value) ? colourOf(value, scales[n], table) : null,
    ),
  };
}

/** What a word is the mean of, if it has several pieces. @param {any} view @param {number} n @returns {string} */
function piecesOf(view, n) {
  const { start, stop } = view.units[n];
  return stop - start > 1
    ? `, mean of the pieces ${view.header.tokens.slice(start, stop).join(" + ")}`
    : "";
}

/** What every word scores at a patch. @param {any} view @param {import("../browser/state.js").Cell} cell @returns {number[]} */
export function valuesAt(view, cell) {
  const { width } = view.header.grids[0];
  return view.units.map(
    (/** @type {any} */ _, /** @type {number} */ n) =>
      view.values[n * view.size + cell.row * width + cell.column],
  );
}

/** @param {any} view @param {any} state @returns {string} */
export function wordStatus(view, state) {
  const cell = focused(state);
  const own = view.units[current(state)].label;
  if (!cell)
    return state.preview === null
      ? HINT
      : `“${own}”: ${format(view.whole[state.preview])} with the whole image`;
  const values = valuesAt(view, cell);
  const best = ranked(values)
    .slice(0, 3)
    .map((n) => `“${view.units[n].label}” ${format(values[n])}`);
  const pinned = sameCell(cell, state.pinned) ? " (pinned, Esc unpins)" : "";
  return `row ${cell.row}, column ${cell.column}${pinned}: “${own}” ${format(values[current(state)])}; highest ${best.join(", ")}`;
}

/** @param {any} header @param {any} store */
function createWordControls(header, store) {
  const set = (/** @type {object} */ values) => store.dispatch({ type: "set", values });
  const whole = header.modes[0].units.length === header.modes[1].units.length;
  const pieces = createSwitch(
    "pieces of words",
    store.state.mode === 1,
    (on) => set(amongUnits(header, store.state, Number(on))),
    { disabled: whole },
  );
  if (whole) pieces.title = "every word of this text is one piece";
  return element(
    "div",
    { className: "controls" },
    createSelect(
      "path",
      header.paths.map((/** @type {any} */ { name }) => name),
      store.state.path,
      (path) => set({ path }),
    ),
    createSwitch("each map on its own scale", store.state.scaling === 1, (on) =>
      set({ scaling: Number(on) }),
    ),
    pieces,
    ...createMapControls(store),
  );
}

/** @param {any} view @param {{width: number}} grid */
function createWordTable(view, { width }) {
  const rows = ranked(view.whole).map((n) => {
    const map = view.values.subarray(n * view.size, (n + 1) * view.size);
    const [best] = ranked(map);
    return [
      view.units[n].label,
      format(view.whole[n]),
      format(map[best]),
      Math.floor(best / width),
      best % width,
    ];
  });
  const head = ["word", "whole image", "highest patch", "row", "column"];
  return createPlainTable("All words, by their score with the whole image", head, rows);
}

export default viewerOf(buildWords);
