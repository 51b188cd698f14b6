// What does a contrast get from Python, and what does its reader choose?
// @ts-check

/** @import { Header } from "../browser/decode.js" */
/** @import { Scale } from "../browser/interpolate.js" */
/** @import { MapHeader, MapState } from "../browser/panel.js" */
/** @import { RankingWords } from "../browser/sentence.js" */
/**
 * @typedef {"help" | "keys" | "idle" | "speaks" | "silent" | "pinned"} ContrastWord
 * @typedef {object} OwnHeader
 * @property {string} summary
 * @property {string} verdict which text fits better
 * @property {number[][]} outlines of the things, where they are known
 * @property {[string, string]} sides the text for which red speaks, and the other
 * @property {[string, string]} ends what stands at the blue and the red end of the colours
 * @property {{title: string, subtitle: string, remark: string, scale: Scale}} map
 * @property {string[]} parts names of what adds up
 * @property {RankingWords} ranking
 * @property {number} alpha opacity of the map
 * @property {string[]} notes
 * @property {Record<ContrastWord, string>} words
 * @typedef {Header & MapHeader & OwnHeader} ContrastHeader
 * @typedef {{values: Float32Array, parts: Float32Array, RdBu_r: Uint8Array}} ContrastArrays
 * @typedef {MapState & {alpha: number}} ContrastState
 */
