// What is to be seen of a text in one state? Its words or their pieces on one path, with their
// maps.
// @ts-check
import { fill } from "../browser/number.js";
import { colourOf, ranked } from "../browser/sentence.js";
import { focused, showsPinned } from "../browser/state.js";

/** @import { MapSpec } from "../browser/panel.js" */
/** @import { Cell } from "../browser/state.js" */
/** @import { TokenArrays, TokenHeader, TokenState } from "./types.js" */
/** @typedef {ReturnType<typeof sightOf>} Sight */

/**
 * The word whose map is large.
 * @param {Pick<TokenState, "preview" | "word">} state
 */
export function shownWord(state) {
  return state.preview ?? state.word;
}

/**
 * Pinned words with one more or one less, as they stand in the sentence.
 * @param {number[]} pins
 * @param {number} n
 */
export function toggled(pins, n) {
  if (pins.includes(n)) return pins.filter((other) => other !== n);
  return [...pins, n].sort((a, b) => a - b);
}

/**
 * The same words among other units, words or pieces: where a word's first token went.
 * @param {TokenHeader} header
 * @param {TokenState} state
 * @param {number} mode
 */
export function amongUnits({ modes }, state, mode) {
  const [from, to] = [modes[state.mode].units, modes[mode].units];
  const place = (/** @type {number} */ n) =>
    to.findIndex(({ start, stop }) => start <= from[n].start && from[n].start < stop);
  const pins = [...new Set(state.pins.map(place))];
  return { mode, word: place(state.word), pins, preview: null };
}

/**
 * Values of tokens (S, P) as values of words (W, P): the mean over each word's tokens.
 * @param {ArrayLike<number>} values
 * @param {{start: number, stop: number}[]} units
 * @param {number} size P
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

/**
 * Everything that the panels need for one path, of words or of pieces.
 * @param {TokenHeader} header
 * @param {TokenArrays} arrays
 * @param {TokenState} state
 */
export function sightOf(header, arrays, state) {
  const { units, paths } = header.modes[state.mode];
  const path = paths[state.path];
  const size = header.grids[0].height * header.grids[0].width;
  const values = meanOfPieces(arrays[`scores${state.path}`], units, size);
  const wholes = arrays[`whole${state.mode}`];
  const whole = wholes.subarray(state.path * units.length, (state.path + 1) * units.length);
  /** @type {MapSpec[]} */
  const maps = units.map(({ label, outlines }, n) => ({
    title: label,
    subtitle: path.subtitles[n],
    source: 0,
    values: values.subarray(n * size, (n + 1) * size),
    remark: path.remarks[n],
    scales: [path.shared, path.own[n]],
    outlines,
  }));
  return { header, units, whole, maps, path };
}

/**
 * Colours and titles of the chips: of the focused patch, or none.
 * @param {Sight} sight
 * @param {TokenArrays} arrays
 * @param {TokenState} state
 */
export function lookOf({ header, units, whole, maps, path }, arrays, state) {
  const cell = focused(state);
  const values = cell ? valuesAt(maps, header, cell) : Array.from(whole);
  const line = cell ? header.words.at_patch : `${path.said.row}{pieces}`;
  const titles = units.map(({ label, pieces }, n) =>
    fill(line, { ...cell, word: label, value: values[n], pieces }),
  );
  const colours = values.map((value, n) => {
    const scale = maps[n].scales[state.scaling];
    const table = arrays[/** @type {"RdBu_r" | "viridis"} */ (scale.colours)];
    return cell && Number.isFinite(value) ? colourOf(value, scale, table) : null;
  });
  return { titles, colours };
}

/**
 * What every word scores at a patch.
 * @param {MapSpec[]} maps
 * @param {Pick<TokenHeader, "grids">} header
 * @param {Cell} cell
 */
export function valuesAt(maps, { grids }, cell) {
  return maps.map(({ values }) => values[cell.row * grids[0].width + cell.column]);
}

/**
 * @param {Sight} sight
 * @param {TokenState} state
 */
export function wordStatus({ header, units, whole, maps, path }, state) {
  const { words } = header;
  const cell = focused(state);
  const word = units[shownWord(state)].label;
  if (!cell) {
    if (state.preview === null) return words.idle;
    return fill(path.said.previewed, { word, value: whole[state.preview] });
  }
  const values = valuesAt(maps, header, cell);
  const best = ranked(values)
    .slice(0, 3)
    .map((n) => fill(words.scored, { word: units[n].label, value: values[n] }));
  return fill(words.status, {
    row: cell.row,
    column: cell.column,
    pinned: showsPinned(state) ? words.pinned : "",
    own: fill(words.scored, { word, value: values[shownWord(state)] }),
    best: best.join(", "),
  });
}
