// Which pieces does CLIP read a text in? Small letters in byte-level BPE, as in tokenizer.py; and
// what is left of a text without one of its words, as in leaving_out.py.
// @ts-check
import { clean } from "./cleaning.js";

/** @import { Mending } from "./cleaning.js" */
/**
 * @typedef {object} Vocabulary
 * @property {Record<string, number>} ids of pieces
 * @property {string[]} merges pairs of pieces with a blank between, most wanted first
 * @property {number} start
 * @property {number} end
 * @property {number} context most tokens of a text
 * @property {Mending} mending
 * @property {Leaving} leaving
 * @typedef {Record<"articles" | "marks" | "joining", string[]>} Leaving  words that go along
 * @typedef {{text: string, start: number, stop: number}} Word  its tokens among those of the text
 * @typedef {{ids: number[], words: Word[]}} Spelled
 */

const [START, END] = ["<|startoftext|>", "<|endoftext|>"];
const WORD =
  /<\|startoftext\|>|<\|endoftext\|>|'[sſ]|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+/gu;
const MOST_CHARACTERS = 1 << 14;

/** Each of the 256 bytes as one visible character. */
const ALPHABET = (() => {
  const printable = (/** @type {number} */ byte) =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  let hidden = 0;
  return Array.from({ length: 256 }, (_, byte) =>
    String.fromCharCode(printable(byte) ? byte : 256 + hidden++),
  );
})();

/** @type {WeakMap<Vocabulary, Map<string, number>>} */
const ranks = new WeakMap();

/**
 * A text's token ids, [start] and [end] included, and the words that a model reads of it.
 * An Error: more tokens than the model reads.
 * @param {string} text
 * @param {Vocabulary} vocabulary
 * @returns {Spelled}
 */
export function spell(text, vocabulary) {
  if (text.length > MOST_CHARACTERS) throw new Error(`a text of ${text.length} characters`);
  const { start, end, context } = vocabulary;
  const ids = [start];
  /** @type {Word[]} */
  const words = [];
  for (const word of clean(text, vocabulary.mending).match(WORD) ?? []) {
    const pieces = piecesOf(word, vocabulary).map((piece) => vocabulary.ids[piece]);
    const read = !ids.includes(end); // behind [end] nothing is
    if (read && word !== START && word !== END) {
      words.push({ text: word, start: ids.length, stop: ids.length + pieces.length });
    }
    ids.push(...pieces);
  }
  ids.push(end);
  if (ids.length > context) {
    throw new Error(
      `text of ${ids.length} tokens, but this model reads at most ${context}: shorten it`,
    );
  }
  return { ids, words };
}

/**
 * @param {string} word
 * @param {Vocabulary} vocabulary
 */
function piecesOf(word, vocabulary) {
  if (word === START || word === END) return [word];
  let rank = ranks.get(vocabulary);
  if (!rank) ranks.set(vocabulary, (rank = new Map(vocabulary.merges.map((pair, n) => [pair, n]))));
  let pieces = Array.from(new TextEncoder().encode(word), (byte) => ALPHABET[byte]);
  pieces[pieces.length - 1] += "</w>";
  while (pieces.length > 1) {
    let [best, pair] = [Infinity, ""];
    for (let n = 0; n + 1 < pieces.length; n++) {
      const found = rank.get(`${pieces[n]} ${pieces[n + 1]}`) ?? Infinity;
      if (found < best) [best, pair] = [found, `${pieces[n]} ${pieces[n + 1]}`];
    }
    if (best === Infinity) break;
    pieces = merged(pieces, pair);
  }
  return pieces;
}

/**
 * @param {string[]} pieces
 * @param {string} pair
 */
function merged(pieces, pair) {
  /** @type {string[]} */
  const joined = [];
  for (let n = 0; n < pieces.length; n++) {
    if (`${pieces[n]} ${pieces[n + 1]}` === pair) joined.push(pieces[n] + pieces[++n]);
    else joined.push(pieces[n]);
  }
  return joined;
}

/**
 * The ids of a text without each of its words; an article or a comma goes along where it would
 * hang in the air.
 * @param {Spelled} spelled
 * @param {Vocabulary} vocabulary
 */
export function withoutEach({ ids, words }, { end, leaving }) {
  const upTo = ids.indexOf(end) + 1;
  return words.map((_, taken) => {
    const stays = new Set(kept(words, taken, leaving));
    return ids.slice(0, upTo).filter((_, at) => {
      const n = words.findIndex(({ start, stop }) => at >= start && at < stop);
      return n < 0 || stays.has(n);
    });
  });
}

/**
 * Numbers of the words that stay when one goes: `kept` of leaving_out.py.
 * @param {Word[]} words
 * @param {number} taken
 * @param {Leaving} leaving
 */
function kept(words, taken, { articles, marks, joining }) {
  const low = words.map(({ text }) => text.toLowerCase());
  let [before, after] = [taken - 1, taken + 1];
  const ends = after === low.length || marks.includes(low[after]);
  const joined = !ends && (joining.includes(low[after]) || articles.includes(low[after]));
  if (before >= 0 && articles.includes(low[before]) && (ends || joined)) before--;
  if (before >= 0 && low[before] === "," && ends) before--;
  else if (low[after] === "," && (before < 0 || joining.includes(low[before]))) after++;
  return [...low.keys()].filter((n) => n <= before || n >= after);
}
