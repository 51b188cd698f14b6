// What does a ranking by eye get from Python, and what does its reader choose?
// @ts-check

/** @import { Header } from "../browser/decode.js" */
/** @import { Scale } from "../browser/interpolate.js" */
/** @import { PictureHeader } from "../browser/picture.js" */
/** @import { State } from "../browser/state.js" */
/**
 * @typedef {object} Dealt  a map, in the order in which they are dealt
 * @property {string} letter
 * @property {string} name of its method
 * @property {string} verdict which way up it is
 * @property {string} told what its verdict does not say
 * @property {string} rank its place by contrast, and what a class gave it
 * @property {number} contrast
 * @property {number} place by contrast, from 1
 * @property {Scale} scale
 * @typedef {"help" | "keys" | "idle" | "hidden" | "named" | "better" | "worse" | "move_better"
 *   | "move_worse" | "moved" | "reveal" | "code" | "told" | "ranked" | "place"} BlindWord
 * @typedef {object} OwnHeader
 * @property {string} summary
 * @property {string} story what is asked, or how a class answered
 * @property {Dealt[]} maps
 * @property {number[]} order in which the maps stand first
 * @property {number} columns maps in a row
 * @property {number[][] | null} counts how many of a class gave each map each place
 * @property {Record<"pairs" | "half" | "best" | "high", string>} known
 * @property {[number, number][]} pairs of maps, the one of the higher contrast first
 * @property {number[][]} outlines of the truth
 * @property {string} stamp end of a code
 * @property {number} alpha opacity of a map
 * @property {number} dim brightness of what the model did not see
 * @property {string[]} notes
 * @property {string[]} named_notes of single methods, which would name them
 * @property {Record<BlindWord | "pinned", string>} words
 * @typedef {Header & PictureHeader & OwnHeader} BlindHeader
 * @typedef {Record<`map${number}`, Float32Array> & {viridis: Uint8Array}} BlindArrays
 * @typedef {object} OwnState
 * @property {number[]} order maps from the best to the worst
 * @property {boolean} revealed
 * @property {number | null} moved the map that was moved last
 * @property {number} alpha
 * @property {boolean} smooth
 * @typedef {State & OwnState} BlindState
 */
