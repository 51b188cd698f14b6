// What does a ranking of words get from Python, and what does its reader choose?
// @ts-check

/** @import { Header } from "../browser/decode.js" */
/** @import { Scale } from "../browser/interpolate.js" */
/** @import { PictureHeader } from "../browser/picture.js" */
/** @import { RankingWords, Unit } from "../browser/sentence.js" */
/** @import { Table } from "../browser/small_print.js" */
/** @import { State } from "../browser/state.js" */
/**
 * @typedef {object} OwnUnit
 * @property {boolean} word whether it is a word, and not [start] or [end]
 * @property {string} below what stands below it in the sentence
 * @property {number[][]} outlines of what it names, where its mask is known
 * @property {string} told its share, relevance and rank
 * @typedef {"help" | "keys" | "table"} RankWord
 * @typedef {object} OwnHeader
 * @property {string} summary
 * @property {(Unit & OwnUnit)[]} units
 * @property {number} first the word that is shown first
 * @property {Scale & {colours: "RdBu_r"}} scale
 * @property {Table} table
 * @property {string[]} notes
 * @property {string} story
 * @property {RankingWords} ranking
 * @property {Record<RankWord, string>} words
 * @typedef {Header & PictureHeader & OwnHeader} RankHeader
 * @typedef {{values: Float32Array, shares: Float32Array, RdBu_r: Uint8Array}} RankArrays
 *   of the units
 * @typedef {State & {word: number, preview: number | null}} RankState
 */
