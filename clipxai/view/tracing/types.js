// What does tracing get from Python, and what does its reader choose?
// @ts-check

/** @import { Header } from "../browser/decode.js" */
/** @import { Scale } from "../browser/interpolate.js" */
/** @import { MapHeader, MapState } from "../browser/panel.js" */
/** @import { Table } from "../browser/small_print.js" */
/**
 * @typedef {"help" | "keys" | "table" | "strip" | "layer" | "patch" | "alone" | "most" | "other" |
 *   "pinned"} TracingWord
 * @typedef {object} OwnHeader
 * @property {string} summary
 * @property {string[]} verdicts of every text
 * @property {string[]} texts
 * @property {string} other the other image, a data URL; empty where there is none
 * @property {number[][][]} outlines of every text, where its mask is known
 * @property {number[]} layers
 * @property {string[]} ticks names of the columns
 * @property {string} title
 * @property {string[]} names of tokens that are no patches
 * @property {number[]} first row that is shown first, of every text
 * @property {[number, number][]} best row and token of the largest effect, of every text
 * @property {string[]} remarks of every text
 * @property {[Scale, Scale][]} scales of patches and of the other tokens, of every text
 * @property {number} alpha opacity of the map
 * @property {string[][]} captions of every text
 * @property {Table[]} tables of every text
 * @property {Record<TracingWord, string>} words
 * @typedef {Header & MapHeader & OwnHeader} TracingHeader
 */
/**
 * @typedef {object} TracingArrays
 * @property {Float32Array} patches (T, K, P)
 * @property {Float32Array} alone (T, K, tokens that are no patches)
 * @property {Uint8Array} RdBu_r
 * @typedef {MapState & {alpha: number, text: number, layer: number, cell: number | null}}
 *   TracingState  `cell` counts `alone` of a text, row by row; null: a patch is told of
 */
