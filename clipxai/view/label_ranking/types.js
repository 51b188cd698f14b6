// What does a ranking of labels get from Python, and what does its reader choose?
// @ts-check

/** @import { Header } from "../browser/decode.js" */
/** @import { MapHeader, MapState } from "../browser/panel.js" */
/** @import { RankingWords } from "../browser/sentence.js" */
/**
 * @typedef {"help" | "keys" | "idle" | "none" | "alone" | "against" | "here" | "speaks"
 *   | "pinned"} LabelWord
 * @typedef {object} OwnHeader
 * @property {string} summary
 * @property {string} verdict which label comes first
 * @property {string[]} labels the best first
 * @property {number[]} chosen those that are looked at first
 * @property {string} subtitle of every map
 * @property {RankingWords} ranking
 * @property {number} alpha opacity of the map
 * @property {string[]} notes
 * @property {Record<LabelWord, string>} words
 * @typedef {Header & MapHeader & OwnHeader} LabelHeader
 * @typedef {{maps: Float32Array, values: Float32Array, RdBu_r: Uint8Array}} LabelArrays
 * @typedef {MapState & {alpha: number, chosen: number[]}} LabelState
 */
