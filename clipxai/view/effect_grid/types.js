// What does the grid of effects get from Python, and what does its reader choose?
// @ts-check

/** @import { Header } from "../browser/decode.js" */
/** @import { Scale } from "../browser/interpolate.js" */
/** @import { PictureHeader } from "../browser/picture.js" */
/** @import { Table } from "../browser/small_print.js" */
/** @import { State } from "../browser/state.js" */
/**
 * @typedef {"help" | "keys" | "table" | "grid" | "status" | "with_share" | "apart"} EffectWord
 * @typedef {object} OwnHeader
 * @property {string} summary
 * @property {string[]} texts
 * @property {number[]} layers
 * @property {string[]} parts names of the rows
 * @property {string[]} titles of the grids
 * @property {string[]} ticks names of the columns
 * @property {number} first the cell that is shown first, row by row
 * @property {"RdBu_r"} diverging
 * @property {Scale[][]} scales of every text, of every grid
 * @property {string[][]} captions of every text
 * @property {Table[]} tables of every text
 * @property {Record<EffectWord, string>} words
 * @typedef {Header & PictureHeader & OwnHeader} EffectHeader
 */
/**
 * @typedef {object} EffectArrays
 * @property {Float32Array} cells (T, G, parts, layers)
 * @property {Uint8Array} apart (T, parts, layers)
 * @property {Float32Array} similarity (T)
 * @property {Uint8Array} RdBu_r
 * @typedef {State & {text: number, at: number, preview: number | null}} EffectState
 *   `at` counts the cells row by row
 */
