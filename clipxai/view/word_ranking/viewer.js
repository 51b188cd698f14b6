// Which word mattered? A sentence in the colours of its words' relevance, with the numbers, and all
// words ranked.
// @ts-check
import { createControls, createHelpControls } from "../browser/controls.js";
import { context2d, fitToScreen, paintBar, strokeOutline } from "../browser/draw.js";
import { element } from "../browser/element.js";
import { below, restored } from "../browser/keep.js";
import { format } from "../browser/number.js";
import { colourOf, createRanking, createSentence, SENTENCE_STYLE } from "../browser/sentence.js";
import { createSmallPrint, createTableDetails } from "../browser/small_print.js";
import { createStage } from "../browser/stage.js";
import { startViewer } from "../browser/start.js";
import { clamp, createStore, UNTOUCHED } from "../browser/state.js";

/** @import { Checks } from "../browser/keep.js" */
/** @import { Store } from "../browser/state.js" */
/** @import { RankArrays, RankHeader, RankState } from "./types.js" */

const STYLE = `
.word_ranking .stage {
  grid-template-columns: minmax(0, var(--wide)) minmax(0, 520px); align-items: start;
}
.word_ranking .sentence { max-height: 100px; align-items: start; }
.word_ranking .word { border-radius: 6px; padding: 2px 10px 1px; }
.word small {
  display: block; font-size: 12px; font-variant-numeric: tabular-nums; font-style: normal;
}
.word_ranking .legend { grid-column: 1 / -1; max-width: 320px; margin: -4px 0; }
.word_ranking .legend > * { max-width: none; }
.word_ranking .panel { grid-template-rows: auto; }
.word_ranking .picture { cursor: auto; }
@container (max-width: 540px) {
  .word_ranking .stage { grid-template-columns: minmax(0, 2fr) minmax(0, 3fr); }
}
@container (max-width: 430px) {
  .word_ranking .stage { grid-template-columns: minmax(0, 1fr); }
}
`;

/**
 * @param {RankHeader} header
 * @param {RankArrays} arrays
 * @param {unknown} view
 */
function build(header, arrays, view) {
  const { units, words, scale } = header;
  const { shares, values } = arrays;
  const table = arrays[scale.colours];
  /** @type {Checks<RankState>} */
  const checks = { word: below(units.length) };
  /** @type {RankState} */
  const first = { ...UNTOUCHED, word: header.first, preview: null };
  const store = createStore({ ...first, ...restored(view, checks) }, header.grids);
  const on = {
    preview: (/** @type {number | null} */ preview) => {
      if (preview !== store.state.preview) store.set({ preview });
    },
    toggle: (/** @type {number} */ word) => store.set({ word }),
  };
  const sentence = createSentence(units, on);
  sentence.chips.forEach((chip, n) =>
    chip.append(element("small", {}, units[n].below || "\u00a0")),
  );
  const kept = [...units.keys()].filter((n) => units[n].word);
  const ranking = createRanking(units, shares, on, header.ranking, kept);
  const photo = createPhoto(header);
  const nodes = [sentence.bar, createLegend(scale, table), photo.node, ranking.node];
  const stage = createStage(header.summary, words.keys, store, keysOf(header, store), ...nodes);
  const print = createSmallPrint(words.help);
  print.write([...header.notes, ...header.dropped]);
  const { details } = createTableDetails(words.table, () => header.table);
  const colours = [...values].map((value) =>
    Number.isFinite(value) ? colourOf(value, scale, table) : null,
  );
  const look = { titles: units.map(({ told }) => told), colours };
  return {
    nodes: [createControls(...createHelpControls(store)), stage, ...print.nodes, details],
    store,
    checks,
    story: () => header.story,
    says: (/** @type {RankState} */ state) => units[shownWord(state)].told,
    paint() {
      const { state } = store;
      const word = shownWord(state);
      print.show(state);
      sentence.show({ word, pins: [state.word] }, look);
      ranking.show(word);
      photo.show(word);
      print.status.textContent = units[word].told;
    },
    draw: () => photo.draw(shownWord(store.state)),
  };
}

/**
 * The word that is told of.
 * @param {RankState} state
 */
function shownWord(state) {
  return state.preview ?? state.word;
}

/**
 * Brackets move over the words.
 * @param {RankHeader} header
 * @param {Store<RankState>} store
 */
function keysOf({ units }, store) {
  const step = (/** @type {number} */ by) => () =>
    store.set({ preview: null, word: clamp(shownWord(store.state) + by, units.length) });
  return { "[": step(-1), "]": step(1) };
}

/**
 * What the colours of the sentence mean.
 * @param {RankHeader["scale"]} scale
 * @param {Uint8Array} table
 */
function createLegend({ low, high }, table) {
  const bar = element("canvas", { className: "bar" });
  paintBar(bar, table);
  const ticks = [low, 0, high].map((value) => element("span", {}, format(value)));
  return element(
    "div",
    { className: "legend" },
    bar,
    element("div", { className: "numbers" }, ...ticks),
  );
}

/**
 * The photo, with the outline of what a word names.
 * @param {RankHeader} header
 */
function createPhoto({ grids, photo, words, units }) {
  const [H, W] = grids[0].image_size;
  const image = element("img", { src: photo, alt: "" });
  const lines = element("canvas", { className: "layer" });
  const picture = element("div", { className: "picture" }, image, lines);
  picture.style.setProperty("--aspect", String(W / H));
  const title = element("figcaption", {}, element("b", {}, words.image));
  const show = (/** @type {number} */ word) => {
    context2d(lines).clearRect(0, 0, lines.width, lines.height);
    for (const line of units[word].outlines) strokeOutline(lines, line, [H, W]);
  };
  const draw = (/** @type {number} */ word) => {
    fitToScreen(lines);
    show(word);
  };
  const node = element("figure", { className: "panel photo" }, title, picture);
  return { node, show, draw };
}

export default startViewer("word_ranking", SENTENCE_STYLE + STYLE, build);
