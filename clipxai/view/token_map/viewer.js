// Which word goes with which patch? A sentence as chips, the map of the word under the pointer, and
// pinned words as small multiples.
// @ts-check
import {
  createControls,
  createMapControls,
  createSelect,
  createSwitch,
} from "../browser/controls.js";
import { element } from "../browser/element.js";
import { below, isFlag, isShare, oneOf, patchIn, restored } from "../browser/keep.js";
import { createMapPanel } from "../browser/panel.js";
import { createPhotoPanel } from "../browser/picture.js";
import { createRanking, createSentence, SENTENCE_STYLE } from "../browser/sentence.js";
import { createSmallPrint, createTableDetails } from "../browser/small_print.js";
import { createStage } from "../browser/stage.js";
import { startViewer } from "../browser/start.js";
import { clamp, createStore, UNTOUCHED } from "../browser/state.js";
import { amongUnits, lookOf, shownWord, sightOf, toggled, wordStatus } from "./sight.js";
import { createTextMatrix, MATRIX_STYLE } from "./text_matrix.js";

/** @import { Checks } from "../browser/keep.js" */
/** @import { MapPanel } from "../browser/panel.js" */
/** @import { Listening } from "../browser/sentence.js" */
/** @import { Store } from "../browser/state.js" */
/** @import { TokenArrays, TokenHeader, TokenState } from "./types.js" */

const MOST_BESIDE = 4; // panels in a row with the ranking
const MOST_IN_A_ROW = 5; // where it is narrow
const STYLE = `
.token_map .stage { display: flex; flex-wrap: wrap; align-items: start; }
.token_map .sentence, .pinbar { flex: 1 0 100%; }
/* the ranking keeps its place beside the first few */
.token_map .panel {
  width: max(100px, min(var(--wide), calc((100cqw - 220px) / var(--panels) - 16px)));
}
.token_map .ranking { flex: 1 1 200px; max-width: 420px; order: 1; }
.token_map .pinbar { order: 2; }
.token_map .panel { grid-template-rows: auto auto 8px 18px 20px; align-self: start; }
.multiples { display: contents; }
.pinbar {
  display: flex; gap: 10px; align-items: baseline; margin: -4px 0;
  color: var(--quiet);
}
/* beside JupyterLab's file browser on a projector: five pictures in a row, or three and the
   ranking, whose numbers stand in the table, too; of two rows the words alone */
@container (541px <= width <= 640px) {
  .token_map .stage[data-full] > .ranking { display: none; }
  .token_map .numbers span:nth-child(2):not(:last-child) { display: none; }
  .token_map .stage[data-full] .panel {
    width: calc((100cqw - 18px) / var(--row) - 10px); align-self: end;
  }
  .token_map .stage[data-full] { column-gap: 10px; }
  .token_map .stage[data-crowded] { row-gap: 4px; }
  .token_map .stage[data-crowded] .panel { grid-template-rows: auto auto 8px 18px; }
  .token_map .stage[data-crowded] .panel :is(figcaption span, .readout) { display: none; }
}
@container (max-width: 540px) {
  .token_map .panel { width: calc(50% - 8px); }
  .token_map .ranking { flex: 1 0 100%; max-width: none; }
  .token_map .rows { flex: none; }
}
`;

/**
 * @param {TokenHeader} header
 * @param {TokenArrays} arrays
 * @param {unknown} kept
 */
function build(header, arrays, kept) {
  const said = header.tokens.join(" ");
  const view = ofSentence(/** @type {Partial<TokenState> | null} */ (kept), said);
  /** @type {TokenState} */
  const first = {
    ...UNTOUCHED,
    scaling: 0,
    alpha: header.alpha,
    smooth: true,
    mode: 0,
    path: header.path,
    word: header.word,
    pins: header.pins,
    preview: null,
    said,
  };
  const units = header.modes[view.mode === 1 ? 1 : 0].units.length;
  /** @type {Checks<TokenState>} */
  const checks = {
    said: oneOf([said]),
    mode: below(2),
    path: below(header.paths.length),
    word: below(units),
    scaling: below(2),
    alpha: isShare,
    smooth: isFlag,
    pinned: patchIn(header.grids),
    pins: (pins) => Array.isArray(pins) && pins.every(below(units)),
  };
  const store = createStore({ ...first, ...restored(view, checks) }, header.grids);
  const parts = createParts(header, arrays, store);
  const change = (/** @type {TokenState} */ now, /** @type {TokenState} */ before) => {
    const other = /** @type {const} */ (["mode", "path", "scaling"]);
    if (other.some((name) => now[name] !== before[name])) {
      parts.rebuild();
      return;
    }
    if (now.pins !== before.pins) parts.arrange();
    if (shownWord(now) !== shownWord(before)) parts.enlarge();
  };
  const nodes = [createTokenControls(header, store), ...parts.nodes];
  return { ...parts, nodes, store, checks, change };
}

/**
 * A kept view; of another sentence it keeps everything but the words.
 * @param {Partial<TokenState> | null} view
 * @param {string} said
 * @returns {Record<string, unknown>}
 */
export function ofSentence(view, said) {
  return view?.said === said ? view : { ...view, word: null, pins: null };
}

/**
 * Everything below the controls. `rebuild` after another choice of path, scale or units, `arrange`
 * after other pins, `enlarge` after another word, `paint` after anything; `draw` also what only
 * time or size can spoil.
 * @param {TokenHeader} header
 * @param {TokenArrays} arrays
 * @param {Store<TokenState>} store
 */
function createParts(header, arrays, store) {
  const { words, matrix: matrixWords } = header;
  const on = createListening(store);
  const tables = { viridis: arrays.viridis, RdBu_r: arrays.RdBu_r };
  const mapOf = (/** @type {number} */ n) => createMapPanel(header, tables, sight.maps[n], store);
  let sight = sightOf(header, arrays, store.state);
  /** @type {ReturnType<typeof createSentence>} */
  let sentence;
  /** @type {ReturnType<typeof createRanking>} */
  let ranking;
  const photo = createPhotoPanel(header, store);
  const large = mapOf(shownWord(store.state));
  /** @type {MapPanel[]} */
  let small = [];
  const pins = createPins(words, store);
  const stage = createStage(header.summary, words.keys, store, {
    "[": () => step(-1),
    "]": () => step(1),
    p: () => on.toggle(store.state.word),
  });
  const step = (/** @type {number} */ by) =>
    store.set({ preview: null, word: clamp(store.state.word + by, sight.units.length) });
  const print = createSmallPrint(words.help);
  const table = createTableDetails(words.table, () => sight.path.table);
  const { tokens, layers } = header;
  const matrix = createTextMatrix(matrixWords, tokens, layers, arrays.attention, arrays.viridis);
  const inner = element(
    "details",
    { ontoggle: () => inner.open && matrix.draw() },
    element("summary", {}, matrixWords.title),
    matrix.node,
  );
  const parts = {
    nodes: [stage, ...print.nodes, inner, table.details],
    story: () => sight.path.story,
    says: (/** @type {TokenState} */ state) => wordStatus(sight, state),
    rebuild() {
      const { state } = store;
      sight = sightOf(header, arrays, state);
      sentence = createSentence(sight.units, on);
      ranking = createRanking(sight.units, sight.whole, on, sight.path.said, sight.path.ranked);
      const upper = [sentence.bar, photo.node, large.node, ranking.node];
      stage.replaceChildren(...upper, pins.bar, pins.multiples);
      parts.enlarge();
      parts.arrange();
      const { captions, notes } = sight.path;
      print.write([captions[state.scaling], ...notes, ...header.dropped]);
      table.show();
    },
    arrange() {
      const { state } = store;
      small = state.pins.map(mapOf);
      const panels = Math.min(MOST_BESIDE, 2 + small.length);
      stage.style.setProperty("--panels", String(panels));
      stage.style.setProperty("--row", String(Math.min(MOST_IN_A_ROW, 2 + small.length)));
      stage.toggleAttribute("data-full", panels === MOST_BESIDE);
      stage.toggleAttribute("data-crowded", 2 + small.length > MOST_IN_A_ROW);
      pins.show(small);
      for (const map of small) map.draw(state);
    },
    enlarge: () => large.take(sight.maps[shownWord(store.state)]),
    paint() {
      const { state } = store;
      const word = shownWord(state);
      print.show(state);
      stage.style.setProperty("--alpha", String(state.alpha));
      sentence.show({ word, pins: state.pins }, lookOf(sight, arrays, state));
      ranking.show(word);
      print.status.textContent = wordStatus(sight, state);
      photo.update(state);
      for (const map of [large, ...small]) map.update(state);
    },
    draw() {
      photo.draw(store.state);
      for (const map of [large, ...small]) map.draw(store.state);
      if (inner.open) matrix.draw();
    },
  };
  return parts;
}

/**
 * A word under the pointer is previewed, a click pins it, or lets it go.
 * @param {Store<TokenState>} store
 * @returns {Listening}
 */
function createListening(store) {
  return {
    preview: (preview) => {
      if (preview !== store.state.preview) store.set({ preview });
    },
    toggle: (n) => store.set({ pins: toggled(store.state.pins, n), word: n }),
  };
}

/**
 * Where the maps of pinned words stand, and a line above them.
 * @param {TokenHeader["words"]} words
 * @param {Store<TokenState>} store
 */
function createPins(words, store) {
  const onclick = () => store.set({ pins: [] });
  const clear = element("button", { type: "button", className: "chip", onclick }, "unpin all");
  const label = element("span");
  const bar = element("div", { className: "pinbar" }, label, clear);
  const multiples = element("div", { className: "multiples" });
  return {
    bar,
    multiples,
    /** @param {MapPanel[]} maps */
    show(maps) {
      label.textContent = maps.length ? words.pinned_words : words.no_pins;
      clear.hidden = !maps.length;
      multiples.replaceChildren(...maps.map(({ node }) => node));
    },
  };
}

/**
 * @param {TokenHeader} header
 * @param {Store<TokenState>} store
 */
function createTokenControls(header, store) {
  const { words, modes, paths } = header;
  const whole = modes[0].units.length === modes[1].units.length; // no word has pieces
  const among = (/** @type {boolean} */ on) =>
    store.set(amongUnits(header, store.state, Number(on)));
  const pieces = createSwitch(words.pieces, store.state.mode === 1, among, whole);
  if (whole) pieces.title = words.whole_words;
  const own = createSwitch(words.own, store.state.scaling === 1, (on) =>
    store.set({ scaling: Number(on) }),
  );
  const path = createSelect("path", paths, store.state.path, (path) => store.set({ path }));
  return createControls(path, own, pieces, ...createMapControls(store));
}

export default startViewer("token_map", SENTENCE_STYLE + MATRIX_STYLE + STYLE, build);
