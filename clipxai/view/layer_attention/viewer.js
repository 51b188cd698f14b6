// Where does a patch look? Point at the image: the maps answer, one for each kind of attention, in
// one layer large and in all layers small.
// @ts-check
import {
  createChips,
  createControls,
  createMapControls,
  createSelect,
  createSwitch,
} from "../browser/controls.js";
import { element } from "../browser/element.js";
import { below, isFlag, isShare, oneOf, patchIn, restored } from "../browser/keep.js";
import { createFold, createSmallPrint, createTableDetails } from "../browser/small_print.js";
import { createStage } from "../browser/stage.js";
import { startViewer } from "../browser/start.js";
import { clamp, createStore, focused, sameCell, UNTOUCHED } from "../browser/state.js";
import { FILM_STYLE } from "../browser/film.js";
import { createHeads, HEAD_STYLE } from "./heads.js";
import { captionOf, spoken, storyOf, tableOf } from "./lines.js";
import { createAnswer, createAsked, MAP_STYLE } from "./maps.js";
import { createFilms, STRIP_STYLE } from "./strips.js";
import {
  answersByHead,
  cellOf,
  CLASS,
  createWeights,
  hiddenOf,
  inAllLayers,
  tokenOf,
  topOf,
} from "./weights.js";

/** @import { Checks } from "../browser/keep.js" */
/** @import { Cell, Store } from "../browser/state.js" */
/** @import { AttentionArrays, AttentionFigure, AttentionHeader } from "./types.js" */
/** @import { AttentionState } from "./types.js" */
/** @import { GivenArrays, Sight } from "./types.js" */

/**
 * What is to be seen in a state.
 * @param {Pick<AttentionHeader, "grids" | "query" | "kinds" | "headed" | "layers">} header
 * @param {Pick<AttentionState, "hover" | "pinned" | "help" | "layer" | "head" | "kind">} state
 * @returns {Sight}
 */
export function sightOf(header, state) {
  const { layer, kind } = state;
  const cell = focused(state);
  const token = cell ? tokenOf(cell, header.grids[0]) : header.query;
  const kinds = header.kinds.filter(({ name }) => kind === null || name === kind);
  const head = answersByHead(header, layer, token) ? state.head : null;
  return { token, layer, head, kinds };
}

/**
 * What was chosen, and so what the headline is about: a patch that is only pointed at would change
 * its height, and what is pointed at would jump.
 * @param {Parameters<typeof sightOf>[0]} header
 * @param {Parameters<typeof sightOf>[1]} state
 */
export function chosenOf(header, state) {
  return sightOf(header, { ...state, hover: null, help: false });
}

/**
 * @param {AttentionHeader} header
 * @param {GivenArrays} given
 * @param {unknown} view
 */
function build(header, given, view) {
  const { viridis, ...others } = given;
  const arrays = /** @type {AttentionArrays} */ (others);
  /** @type {AttentionState} */
  const first = {
    ...UNTOUCHED,
    layer: header.layer,
    reading: null,
    head: null,
    kind: null,
    own: false,
    withoutClass: true,
    withoutSinks: true,
    withoutSelf: true,
    alpha: header.alpha,
    smooth: false,
  };
  const checks = checksOf(header);
  const store = createStore({ ...first, ...restored(view, checks) }, header.grids);
  const weights = createWeights(header, arrays);
  const palette = { colours: viridis, unknown: header.unknown };
  const parts = createParts({ header, arrays, store, weights, palette });
  const says = (/** @type {AttentionState} */ state) =>
    spoken(header, weights, state, sightOf(header, state));
  return { ...parts, store, checks, says };
}

/**
 * What is kept of the state, and when it fits; the whole image may be pinned too.
 * @param {AttentionHeader} header
 * @returns {Checks<AttentionState>}
 */
function checksOf({ grids, layers, heads, kinds }) {
  return {
    layer: below(layers.length),
    head: (head) => head === null || below(heads)(head),
    kind: oneOf([null, ...kinds.map(({ name }) => name)]),
    own: isFlag,
    withoutClass: isFlag,
    withoutSinks: isFlag,
    withoutSelf: isFlag,
    alpha: isShare,
    smooth: isFlag,
    pinned: (cell) => patchIn(grids)(cell) || sameCell(/** @type {Cell | null} */ (cell), CLASS),
  };
}

/**
 * @param {AttentionFigure} figure
 */
function createParts(figure) {
  const { header, store, weights } = figure;
  const { words, sinks } = header;
  const asked = createAsked(figure);
  const answers = header.kinds.map((kind) => createAnswer(figure, kind));
  const hint = element("output", { className: "hint" });
  const films = createFilms(figure, hint);
  const heads = createHeads(figure, hint);
  const pictures = [asked, ...answers].map(({ node }) => node);
  const stage = createStage(header.summary, words.keys, store, keysOf(figure), ...pictures);
  const print = createSmallPrint(words.help);
  const table = createTableDetails(words.table, () =>
    tableOf(header, weights, sightOf(header, store.state)),
  );
  const controls = createAttentionControls(header, store);
  const show = (/** @type {AttentionState} */ state) => {
    print.show(state);
    controls.show(state.kind);
    const shown = sightOf(header, state).kinds.length;
    stage.style.setProperty("--columns", String(1 + shown));
    stage.style.setProperty("--alpha", String(state.alpha));
    stage.classList.toggle("smooth", state.smooth);
  };
  const draw = (/** @type {boolean} */ fresh) => {
    const { state } = store;
    const sight = sightOf(header, state);
    const hidden = hiddenOf(state, sight.token, sinks);
    const shared = topOf(rowsOf(figure, sight), hidden);
    const end = (/** @type {ArrayLike<number>} */ row) =>
      state.own ? topOf([row], hidden) : shared;
    asked.draw(sight, fresh);
    for (const answer of answers) answer.draw(sight, end, fresh);
    films.draw(sight, end);
    heads.draw(sight, fresh);
    const { rolloutTop, poolTop } = films;
    print.write(captionOf(header, state, sight, shared, rolloutTop(), poolTop()));
  };
  const more = createFold(words.more, element("div", {}, films.rollout, heads.node));
  const folds = [more, print.caption, table.details];
  return {
    nodes: [controls.node, stage, films.node, hint, print.help, ...folds],
    /** @param {AttentionState} state */
    story: (state) => storyOf(header, weights, chosenOf(header, state)),
    rebuild: () => show(store.state),
    /** @type {(now: AttentionState, before: AttentionState) => void} */
    change(now, before) {
      show(now);
      if (!sameCell(now.pinned, before.pinned)) table.show();
    },
    paint: () => draw(false),
    draw: () => draw(true),
  };
}

/**
 * All rows of weights that share a scale: those of the large maps and of the strips.
 * @param {AttentionFigure} figure
 * @param {Sight} sight
 */
function rowsOf({ header, weights }, sight) {
  const { token, layer, head, kinds } = sight;
  return kinds.flatMap(({ name }) => [
    weights.row(name, layer, token, head),
    ...[...header.layers.keys()].map((n) => weights.row(name, n, token, inAllLayers(sight))),
  ]);
}

/**
 * What keys do here beyond what they do in every viewer.
 * @param {AttentionFigure} figure
 * @returns {Record<string, () => void>}
 */
function keysOf({ header, store }) {
  const [grid] = header.grids;
  const here = () => cellOf(sightOf(header, store.state).token, grid);
  const move = (/** @type {number} */ down, /** @type {number} */ right) => () => {
    const middle = { row: (grid.height >> 1) - down, column: (grid.width >> 1) - right };
    const from = sameCell(here(), CLASS) ? middle : here();
    const row = clamp(from.row + down, grid.height);
    const column = clamp(from.column + right, grid.width);
    store.dispatch({ type: "hover", cell: { grid: 0, row, column } });
  };
  const step = (/** @type {number} */ by) => () =>
    store.set({ layer: clamp(store.state.layer + by, header.layers.length) });
  const pin = () => store.dispatch({ type: "pin", cell: here() });
  return {
    ArrowUp: move(-1, 0),
    ArrowDown: move(1, 0),
    ArrowLeft: move(0, -1),
    ArrowRight: move(0, 1),
    "[": step(-1),
    "]": step(1),
    c: () => store.dispatch({ type: "hover", cell: CLASS }),
    " ": pin,
    Enter: pin,
    Escape: () => startOver(store),
  };
}

/**
 * Back to the first query and to the mean of heads.
 * @param {Store<AttentionState>} store
 */
function startOver(store) {
  store.set({ head: null });
  store.dispatch({ type: "unpin" });
}

/**
 * @param {AttentionHeader} header
 * @param {Store<AttentionState>} store
 */
function createAttentionControls({ kinds, sinks, scalings, words, beside }, store) {
  const { own, withoutClass, withoutSinks, withoutSelf } = store.state;
  const choices = [
    { name: words.every_kind, value: null },
    ...kinds.map(({ name, label }) => ({ name: label, value: name })),
  ];
  const chips = createChips("kind of attention", choices, (kind) => store.set({ kind }));
  const node = createControls(
    ...(kinds.length > 1 ? [chips.bar] : []),
    createSelect("colours", scalings, Number(own), (n) => store.set({ own: n === 1 })),
    element("span", {}, words.without),
    ...(beside
      ? [createSwitch(beside, withoutClass, (on) => store.set({ withoutClass: on }))]
      : []),
    createSwitch(
      words.without_sinks,
      withoutSinks,
      (on) => store.set({ withoutSinks: on }),
      !sinks.length,
    ),
    createSwitch(words.the_query, withoutSelf, (on) => store.set({ withoutSelf: on })),
    ...createMapControls(store),
  );
  return { node, show: chips.show };
}

const STYLE = `
/* of one height, or what is pointed at would jump; over the numbers of layers, which it says */
.hint {
  display: block; height: 1.4em; overflow: hidden; margin-top: -1.4em; position: relative;
  font-variant-numeric: tabular-nums;
}
.hint:not(:empty) { background: var(--page); }
.figure:has(details[open] .heads) .hint { height: 2.8em; margin-top: 2px; }
`;

const STYLES = MAP_STYLE + STRIP_STYLE + HEAD_STYLE + FILM_STYLE + STYLE;

export default startViewer("layer_attention", STYLES, build);
