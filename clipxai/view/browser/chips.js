// Words as chips and as bars: both show the same words, and answer to hover, focus, click and keys alike.
// @ts-check
import { colourIndex } from "./draw.js";
import { element, rove } from "./shell.js";
import { format } from "./number.js";

export const CHIP_STYLE = `
.word { min-width: 26px; text-align: center; }
.word[data-special] { font-style: italic; color: var(--quiet); }
.word[aria-current="true"] { text-decoration: underline; text-underline-offset: 3px; }
.sentence { grid-column: 1 / -1; max-height: 150px; margin-bottom: 8px; font-size: 15px; }
.ranking { align-self: stretch; display: flex; flex-direction: column; min-width: 0; }
.ranking b { font-size: 14px; } .ranking p { margin: 0 0 5px; color: var(--quiet); font-size: 12px; }
.rows { overflow-y: auto; max-height: 372px; flex: 1 1 0; min-height: 160px; padding-right: 4px; }
.row { display: grid; grid-template-columns: minmax(50px, 26%) 1fr 58px; gap: 8px; align-items: center; }
.row { font-size: 12.5px; line-height: 1.5; border-radius: 3px; cursor: pointer; }
.row:hover, .row[data-current] { background: color-mix(in srgb, var(--accent) 16%, transparent); }
.row span:first-child { text-align: right; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.row span:last-child { text-align: right; font-variant-numeric: tabular-nums; }
.track { position: relative; height: 13px; } .track i { position: absolute; top: 0; bottom: 0; border-radius: 1px; }
.track u { position: absolute; top: -2px; bottom: -2px; width: 1px; background: var(--quiet); }
.plus { background: #c9453c; } .minus { background: #3579b8; }
`;

/** Black or white, whichever reads better on a colour (W3C's relative luminance). @param {number[]} rgb @returns {string} */
export function inkOn(rgb) {
  const [r, g, b] = rgb.map((c) =>
    c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4,
  );
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? "#000" : "#fff";
}

/** A value's colour. @param {number} value @param {{low: number, high: number}} scale @param {Uint8Array} table @returns {number[]} */
export function colourOf(value, scale, table) {
  const at = 3 * colourIndex(value, scale);
  return [...table.subarray(at, at + 3)];
}

/**
 * A bar from zero as left edge and width in percent of a track that reaches from `low` to `high` (zero included).
 * @param {number} value @param {number} low @param {number} high
 */
export function barSpan(value, low, high) {
  const extent = high - low || 1;
  return {
    left: (100 * (Math.min(value, 0) - low)) / extent,
    width: (100 * Math.abs(value)) / extent,
  };
}

/** Numbers of words by falling value; what is no number comes last. @param {ArrayLike<number>} values @returns {number[]} */
export function ranked(values) {
  const known = (/** @type {number} */ n) => (Number.isFinite(values[n]) ? values[n] : -Infinity);
  return [...Array(values.length).keys()].sort((a, b) => known(b) - known(a) || a - b);
}

/**
 * What a word does under the pointer or the focus. @param {any} node @param {number} n
 * @param {{preview: (n: number | null) => void, toggle: (n: number) => void}} on
 */
function listen(node, n, on) {
  node.addEventListener("pointerenter", () => on.preview(n));
  node.addEventListener("pointerleave", () => on.preview(null));
  node.addEventListener("click", () => on.toggle(n));
}

/** The sentence. @param {any[]} units @param {{preview: (n: number | null) => void, toggle: (n: number) => void}} on */
export function createSentence(units, on) {
  const chips = units.map((unit) =>
    element(
      "button",
      {
        type: "button",
        className: "chip word",
        tabIndex: -1,
        ...(/^\[(start|end)\]$/.test(unit.name) ? { "data-special": "" } : {}),
      },
      unit.name,
    ),
  );
  const bar = element(
    "div",
    { className: "chips sentence", role: "toolbar", "aria-label": "words" },
    ...chips,
  );
  chips.forEach((chip, n) => {
    listen(chip, n, on);
    chip.addEventListener("focus", () => chip.matches(":focus-visible") && on.preview(n));
    chip.addEventListener("blur", () => on.preview(null));
  });
  rove(bar, chips);
  /**
   * @param {{word: number, pins: number[]}} state @param {{titles: string[], colours: (number[] | null)[]}} look
   */
  const show = ({ word, pins }, { titles, colours }) => {
    chips.forEach((chip, n) => {
      const colour = colours[n];
      chip.title = titles[n];
      chip.style.background = colour ? `rgb(${colour})` : "";
      chip.style.color = colour ? inkOn(colour) : "";
      chip.setAttribute("aria-pressed", String(pins.includes(n) || n === word));
      chip.setAttribute("aria-current", String(n === word));
      if (!bar.contains(/** @type {any} */ (bar.getRootNode()).activeElement))
        chip.tabIndex = n === word ? 0 : -1;
    });
  };
  return { bar, show };
}

/**
 * All words by falling value, each with a bar from zero.
 * @param {any[]} units @param {ArrayLike<number>} values @param {{preview: (n: number | null) => void, toggle: (n: number) => void}} on
 * @param {string[]} titles above it, and below that in small letters @param {string} what a value is
 */
export function createRanking(units, values, on, titles, what) {
  const low = Math.min(0, ...Array.from(values).filter(Number.isFinite));
  const high = Math.max(0, ...Array.from(values).filter(Number.isFinite));
  const order = ranked(values);
  const rows = order.map((n) => {
    const known = Number.isFinite(values[n]);
    const { left, width } = barSpan(known ? values[n] : 0, low, high);
    const bar = element("i", { className: values[n] < 0 ? "minus" : "plus" });
    const zero = element("u");
    Object.assign(bar.style, { left: `${left}%`, width: `${width}%` });
    zero.style.left = `${(100 * -low) / (high - low || 1)}%`;
    const row = element(
      "div",
      { className: "row", title: `${units[n].label}: ${format(values[n])} ${what}` },
      element("span", {}, units[n].label),
      element("div", { className: "track" }, bar, zero),
      element("span", {}, format(values[n])),
    );
    listen(row, n, on);
    return row;
  });
  const node = element(
    "div",
    { className: "ranking" },
    element("b", {}, titles[0]),
    element("p", {}, titles[1]),
    element("div", { className: "rows" }, ...rows),
  );
  /** @param {number} word */
  const show = (word) =>
    rows.forEach((row, place) => row.toggleAttribute("data-current", order[place] === word));
  return { node, show };
}
