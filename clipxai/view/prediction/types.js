// What does a prediction get from Python, and what does its reader choose?
// @ts-check

/** @import { Header } from "../browser/decode.js" */
/** @import { Scale } from "../browser/interpolate.js" */
/** @import { MapHeader, MapState } from "../browser/panel.js" */
/**
 * @typedef {"help" | "keys" | "yours" | "painted" | "idle" | "covered" | "reveal" | "again"
 *   | "nothing" | "here" | "is_painted" | "not_painted" | "value"} PredictionWord
 * @typedef {object} OwnHeader
 * @property {string} summary
 * @property {string} story what is asked
 * @property {string} told how a prediction is scored
 * @property {number | null} query the patch that looks
 * @property {{title: string, subtitle: string, scale: Scale}} map
 * @property {number} alpha opacity of the map
 * @property {string[]} notes
 * @property {Record<PredictionWord, string>} words
 * @typedef {Header & MapHeader & OwnHeader} PredictionHeader
 * @typedef {{values: Float32Array, viridis: Uint8Array}} PredictionArrays
 * @typedef {MapState & {alpha: number, painted: number[], revealed: boolean}} PredictionState
 */
