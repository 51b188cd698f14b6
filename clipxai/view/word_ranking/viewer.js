// Which word mattered? A sentence in the colours of its words' relevance, with the numbers, and all words ranked.
// @ts-check
import { CHIP_STYLE, colourOf, createRanking, createSentence, ranked } from "../browser/chips.js";
import {
  bringToLife,
  createHelpControls,
  createPlainTable,
  createStage,
  createTableDetails,
  viewerOf,
} from "../browser/controls.js";
import { unpack } from "../browser/decode.js";
import { paintBar } from "../browser/draw.js";
import { below, restored } from "../browser/keep.js";
import { element } from "../browser/shell.js";
import { clamp, createStore } from "../browser/state.js";
import { format } from "../browser/number.js";

const HELP =
  "Move over a word to read it, click to keep it. Keys: [ and ] move by one word, ? shows this line.";
const STYLE = `
.relevance .stage { grid-template-columns: minmax(0, 320px) minmax(0, 520px); align-items: start; }
.relevance .sentence { max-height: none; align-items: start; } .relevance .word { border-radius: 6px; padding: 2px 10px 1px; }
.word small { display: block; font-size: 11px; font-variant-numeric: tabular-nums; font-style: normal; }
.relevance .panel { grid-template-rows: auto; } .relevance .picture { cursor: auto; }
@container (max-width: 620px) { .relevance .stage { grid-template-columns: minmax(0, 1fr); } }
`;
const DIVERGING = "RdBu_r";

/** @param {any} model @param {HTMLElement} el @returns {() => void} */
function buildRelevance(model, el) {
  const payload = model.get("payload");
  const { header } = payload;
  const { values, [DIVERGING]: table } = unpack(payload);
  const {
    units,
    scale: [low, high],
  } = header;
  const checks = { word: below(units.length) };
  const first = { hover: null, pinned: null, help: false, word: header.first, preview: null };
  const store = createStore({ ...first, ...restored(model.get("view"), checks) }, header.grids);
  const set = (/** @type {object} */ changed) => store.dispatch({ type: "set", values: changed });
  const on = {
    preview: (/** @type {number | null} */ n) => n !== store.state.preview && set({ preview: n }),
    toggle: (/** @type {number} */ n) => set({ word: n }),
  };
  const sentence = createSentence(units, on);
  sentence.bar
    .querySelectorAll(".word")
    .forEach((/** @type {Element} */ chip, /** @type {number} */ n) =>
      chip.append(element("small", {}, format(values[n]))),
    );
  const words = [...units.keys()].filter((n) => units[n].word);
  const inner = {
    preview: (/** @type {number | null} */ n) => on.preview(n === null ? n : words[n]),
    toggle: (/** @type {number} */ n) => on.toggle(words[n]),
  };
  const titles = ["words by relevance", header.unit];
  const ranking = createRanking(
    words.map((n) => units[n]),
    words.map((n) => values[n]),
    inner,
    titles,
    header.unit,
  );
  const bar = element("canvas", { className: "bar" });
  paintBar(bar, table);
  const numbers = element(
    "div",
    { className: "numbers" },
    ...[low, 0, high].map((value) => element("span", {}, format(value))),
  );
  const step = (/** @type {number} */ by) =>
    set({ preview: null, word: clamp(shown() + by, units.length) });
  const keys = "Brackets move over the words, question mark helps.";
  const [H, W] = header.grids[0].image_size;
  const picture = element(
    "div",
    { className: "picture" },
    element("img", { src: header.photo, alt: "" }),
  );
  picture.style.setProperty("--aspect", String(W / H));
  const photo = element(
    "figure",
    { className: "panel photo" },
    element("figcaption", {}, element("b", {}, "image")),
    picture,
    element("div", {}, bar, numbers),
  );
  const stage = createStage(
    header.summary,
    keys,
    store,
    { "[": () => step(-1), "]": () => step(1) },
    sentence.bar,
    photo,
    ranking.node,
  );
  const status = element("div", { className: "status" });
  const help = element("p", { className: "help", hidden: true }, HELP);
  const caption = element(
    "div",
    { className: "caption" },
    ...[...header.notes, ...header.dropped].map((line) => element("p", {}, line)),
  );
  const rows = () =>
    ranked(values).map((n) => [units[n].label, format(values[n]), piecesOf(header, n)]);
  const details = createTableDetails("Table: all words", () =>
    createPlainTable(header.unit, ["word", "relevance", "pieces"], rows()),
  );
  const shown = (state = store.state) => state.preview ?? state.word;
  const look = {
    titles: units.map((/** @type {any} */ _, /** @type {number} */ n) =>
      relevanceStatus(header, values, n),
    ),
    colours: units.map((/** @type {any} */ _, /** @type {number} */ n) =>
      Number.isFinite(values[n]) ? colourOf(values[n], { low, high }, table) : null,
    ),
  };
  const paint = () => {
    help.hidden = !store.state.help;
    sentence.show({ word: shown(), pins: [store.state.word] }, look);
    ranking.show(words.indexOf(shown()));
    status.textContent = look.titles[shown()];
  };
  const controls = element("div", { className: "controls" }, ...createHelpControls(store));
  const nodes = [controls, stage, status, help, caption, details.details];
  const nothing = () => {}; // the data stay as they are, and time and size spoil nothing
  return bringToLife(model, el, {
    name: "relevance",
    css: CHIP_STYLE + STYLE,
    nodes,
    store,
    checks,
    rebuild: nothing,
    draw: nothing,
    paint,
    change: nothing,
    says: (state) => look.titles[shown(state)],
  });
}

/** A word, its relevance and its rank among the words. @param {any} header @param {ArrayLike<number>} values @param {number} n @returns {string} */
export function relevanceStatus({ units, tokens }, values, n) {
  const words = [...units.keys()].filter((other) => units[other].word);
  const rank = words.filter((other) => values[other] > values[n]).length + 1;
  const pieces = piecesOf({ units, tokens }, n);
  return `“${units[n].label}”: ${format(values[n])}${units[n].word ? `, rank ${rank} of ${words.length}` : ""}${pieces && `, the sum of ${pieces}`}`;
}

/** The pieces of a word that has several. @param {any} header @param {number} n @returns {string} */
function piecesOf({ units, tokens }, n) {
  const { start, stop } = units[n];
  return stop - start > 1 ? tokens.slice(start, stop).join(" + ") : "";
}

export default viewerOf(buildRelevance);
