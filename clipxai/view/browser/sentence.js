// Words as chips and as bars: both show the same words, and answer to hover, focus, click and keys
// alike.
// @ts-check
import { rove } from "./controls.js";
import { element } from "./element.js";
import { colourIndex } from "./interpolate.js";
import { fill } from "./number.js";

/** @import { Span } from "./interpolate.js" */
/**
 * @typedef {object} Unit  a word, or a piece of one
 * @property {string} name
 * @property {string} label its name, with its place where the name occurs more than once
 * @property {number} start its first token
 * @property {number} stop the token behind its last
 * @property {string} pieces what it is made of, as the end of a line; empty for one piece
 * @typedef {object} Listening  what a word does under the pointer or the focus
 * @property {(n: number | null) => void} preview
 * @property {(n: number) => void} toggle
 * @typedef {object} Look  of all words
 * @property {string[]} titles
 * @property {(number[] | null)[]} colours
 * @typedef {Record<"title" | "subtitle" | "row" | "number", string>} RankingWords  `row` has places
 *   for `word` and `value`, `number` for `value`
 */

export const SENTENCE_STYLE = `
.word { min-width: 26px; text-align: center; }
.word[data-special] { font-style: italic; color: var(--quiet); }
.word[aria-current="true"] { text-decoration: underline; text-underline-offset: 3px; }
.sentence { grid-column: 1 / -1; max-height: 62px; margin-bottom: 2px; font-size: 15px; }
.ranking {
  align-self: stretch; max-width: 520px; display: flex; flex-direction: column; min-width: 0;
}
.ranking b { font-size: 14px; }
.ranking p { margin: 0 0 5px; color: var(--quiet); font-size: 12px; }
.rows { overflow-y: auto; flex: 1 1 0; min-height: 100px; padding-right: 4px; }
.row {
  display: grid; grid-template-columns: minmax(50px, 26%) 1fr 58px; gap: 8px; align-items: center;
  border-radius: 3px; cursor: pointer; font-size: 12.5px; line-height: 1.5;
}
.row:hover, .row[data-current] {
  background: color-mix(in srgb, var(--accent) 16%, transparent);
}
.row span { text-align: right; }
.row span:first-child { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.row span:last-child { font-variant-numeric: tabular-nums; }
.track { position: relative; height: 13px; }
.track i { position: absolute; top: 0; bottom: 0; border-radius: 1px; }
.track u { position: absolute; top: -2px; bottom: -2px; width: 1px; background: var(--quiet); }
.plus { background: var(--plus); }
.minus { background: var(--minus); }
@media (forced-colors: active) {
  .track i, .track u { forced-color-adjust: none; }
  .track u { background: CanvasText; }
}
`;

/**
 * Black or white, whichever reads better on a colour (W3C's relative luminance).
 * @param {number[]} rgb
 */
export function inkOn(rgb) {
  const [r, g, b] = rgb.map((c) => {
    const share = c / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? "#000" : "#fff";
}

/**
 * A value's colour.
 * @param {number} value
 * @param {Span} scale
 * @param {Uint8Array} table
 */
export function colourOf(value, scale, table) {
  const at = 3 * colourIndex(value, scale);
  return [...table.subarray(at, at + 3)];
}

/**
 * A bar from zero as left edge and width in percent of a track that reaches from `low` to `high`
 * (zero included).
 * @param {number} value
 * @param {number} low
 * @param {number} high
 */
export function barSpan(value, low, high) {
  const extent = high - low || 1;
  const left = (100 * (Math.min(value, 0) - low)) / extent;
  return { left, width: (100 * Math.abs(value)) / extent };
}

/**
 * Numbers of words by falling value; what is no number comes last.
 * @param {ArrayLike<number>} values
 */
export function ranked(values) {
  const known = (/** @type {number} */ n) => (Number.isFinite(values[n]) ? values[n] : -Infinity);
  return [...Array(values.length).keys()].sort((a, b) => known(b) - known(a) || a - b);
}

/**
 * @param {HTMLElement} node
 * @param {number} n
 * @param {Listening} on
 */
function listen(node, n, on) {
  node.addEventListener("pointerenter", () => on.preview(n));
  node.addEventListener("pointerleave", () => on.preview(null));
  node.addEventListener("click", () => on.toggle(n));
}

/**
 * The sentence.
 * @param {Unit[]} units
 * @param {Listening} on
 */
export function createSentence(units, on) {
  const chips = units.map(({ name }) => {
    const chip = element("button", { type: "button", className: "chip word", tabIndex: -1 }, name);
    chip.toggleAttribute("data-special", /^\[(start|end)\]$/.test(name));
    return chip;
  });
  const named = { role: "toolbar", "aria-label": "words" };
  const bar = element("div", { className: "chips sentence", ...named }, ...chips);
  chips.forEach((chip, n) => {
    listen(chip, n, on);
    chip.addEventListener("focus", () => {
      if (chip.matches(":focus-visible")) on.preview(n);
    });
    chip.addEventListener("blur", () => on.preview(null));
  });
  rove(bar, chips);
  /**
   * @param {{word: number, pins: number[]}} state
   * @param {Look} look
   */
  const show = ({ word, pins }, { titles, colours }) => {
    const { activeElement } = /** @type {ShadowRoot} */ (bar.getRootNode());
    const focus = bar.contains(activeElement); // then the Tab key's stop stays where it is
    chips.forEach((chip, n) => {
      const colour = colours[n];
      chip.title = titles[n];
      chip.style.background = colour ? `rgb(${colour})` : "";
      chip.style.color = colour ? inkOn(colour) : "";
      chip.setAttribute("aria-pressed", String(pins.includes(n) || n === word));
      chip.setAttribute("aria-current", String(n === word));
      if (!focus) chip.tabIndex = n === word ? 0 : -1;
    });
  };
  return { bar, chips, show };
}

/**
 * Words by falling value, each with a bar from zero.
 * @param {Unit[]} units
 * @param {ArrayLike<number>} values
 * @param {Listening} on
 * @param {RankingWords} words
 * @param {number[]} [places] numbers of the words that are ranked; all unless told
 */
export function createRanking(units, values, on, words, places = [...units.keys()]) {
  const known = places.map((n) => values[n]).filter(Number.isFinite);
  const [low, high] = [Math.min(0, ...known), Math.max(0, ...known)];
  const order = ranked(places.map((n) => values[n])).map((at) => places[at]);
  const rows = order.map((n) => {
    const [word, value] = [units[n].label, values[n]];
    const { left, width } = barSpan(Number.isFinite(value) ? value : 0, low, high);
    const bar = element("i", { className: value < 0 ? "minus" : "plus" });
    const zero = element("u");
    Object.assign(bar.style, { left: `${left}%`, width: `${width}%` });
    zero.style.left = `${(100 * -low) / (high - low || 1)}%`;
    const row = element(
      "div",
      { className: "row", title: fill(words.row, { word, value }) },
      element("span", {}, word),
      element("div", { className: "track" }, bar, zero),
      element("span", {}, fill(words.number, { value })),
    );
    listen(row, n, on);
    return row;
  });
  // more words than fit are scrolled to, with keys as well
  const scrolled = { className: "rows", tabIndex: 0, role: "group", "aria-label": words.title };
  const node = element(
    "div",
    { className: "ranking" },
    element("b", {}, words.title),
    element("p", {}, words.subtitle),
    element("div", scrolled, ...rows),
  );
  /** @param {number} word */
  const show = (word) => {
    rows.forEach((row, place) => row.toggleAttribute("data-current", order[place] === word));
  };
  return { node, show };
}
