// What does the grid of effects get from Python, and what does its reader choose?
// @ts-check

/** @import { Header } from "../browser/decode.js" */
/** @import { Scale } from "../browser/interpolate.js" */
/** @import { MapHeader, MapState } from "../browser/panel.js" */
/** @import { Table } from "../browser/small_print.js" */
/**
 * @typedef {"help" | "keys" | "table" | "grid" | "status" | "with_share" | "apart" |
 *   "named" | "turned" | "unmapped" | "place"} EffectWord
 * @typedef {object} HeadDetails
 * @property {string[]} names of every cell; empty where it has none
 * @property {number[]} mapped cells that there is a map without
 * @property {string[][]} turned of every text, of every cell that there is a map without: what
 *   becomes of its contrast with the truth; empty where that is not known
 * @property {(Scale | null)[]} scales of the maps of every text
 * @property {Scale[]} looks of every cell
 * @property {string[]} titles
 * @property {string} unit
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
 * @property {string[]} stories of every text
 * @property {Table[]} tables of every text
 * @property {number[][][]} outlines of every text, where its mask is known
 * @property {HeadDetails | null} details
 * @property {number} alpha opacity of maps
 * @property {Record<EffectWord, string>} words
 * @typedef {Header & MapHeader & OwnHeader} EffectHeader
 */
/**
 * @typedef {object} EffectArrays
 * @property {Float32Array} cells (T, G, parts, layers)
 * @property {Uint8Array} apart (T, parts, layers)
 * @property {Float32Array} similarity (T)
 * @property {Float32Array} maps (T, 1 + mapped, P) with all heads, and without each
 * @property {Float32Array} looks (parts layers, P)
 * @property {Uint8Array} RdBu_r
 * @property {Uint8Array} viridis
 * @typedef {MapState & {text: number, at: number, preview: number | null}} EffectState
 *   `at` counts the cells row by row
 */
