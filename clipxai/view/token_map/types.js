// What does a map of words get from Python, and what does its reader choose?
// @ts-check

/** @import { Header } from "../browser/decode.js" */
/** @import { Scale } from "../browser/interpolate.js" */
/** @import { MapHeader, MapState } from "../browser/panel.js" */
/** @import { RankingWords, Unit } from "../browser/sentence.js" */
/** @import { Table } from "../browser/small_print.js" */
/** @import { MatrixWords } from "./text_matrix.js" */
/**
 * @typedef {"help" | "keys" | "table" | "own" | "pieces" | "whole_words" | "pinned_words"
 *   | "no_pins" | "idle" | "scored" | "status" | "at_patch" | "pinned"} TokenWord
 * @typedef {Unit & {outlines: number[][]}} Outlined  where the thing is that a word names
 * @typedef {object} PathOfUnits  what a path says of words, or of pieces
 * @property {string[]} subtitles
 * @property {string[]} remarks
 * @property {Scale} shared
 * @property {Scale[]} own
 * @property {[string, string]} captions on the shared scale, and on each map's own
 * @property {string[]} notes
 * @property {string} story
 * @property {number[]} ranked numbers of those that are ranked
 * @property {RankingWords & {previewed: string}} said what the number of a word is called
 * @property {Table} table
 * @typedef {object} OwnHeader
 * @property {string} summary
 * @property {string[]} tokens
 * @property {number} layers of the text tower
 * @property {number} alpha opacity of a map
 * @property {string[]} paths
 * @property {number} path that is shown first
 * @property {{units: Outlined[], paths: PathOfUnits[]}[]} modes words, and pieces
 * @property {number} word that is shown first
 * @property {number[]} pins
 * @property {MatrixWords} matrix
 * @property {Record<TokenWord, string>} words
 * @typedef {Header & MapHeader & OwnHeader} TokenHeader
 */
/**
 * @typedef {Record<`scores${number}`, Float32Array>} Scores  (S, P) of each path
 * @typedef {Record<`whole${number}`, Float32Array>} Wholes  (paths, W) of each mode: scores with
 *   the whole image
 * @typedef {object} OwnArrays
 * @property {Float32Array} attention (L, S, S) of the text tower
 * @property {Uint8Array} viridis
 * @property {Uint8Array} RdBu_r
 * @typedef {OwnArrays & Scores & Wholes} TokenArrays
 * @typedef {object} OwnState
 * @property {number} alpha
 * @property {number} mode 0 for words, 1 for pieces
 * @property {number} path
 * @property {number} word
 * @property {number[]} pins
 * @property {number | null} preview
 * @property {string} said the text: words are kept for the same one only
 * @typedef {MapState & OwnState} TokenState
 */
