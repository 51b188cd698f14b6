// What do the steps of a training get from Python, and what does their reader choose?
// @ts-check

/** @import { Header } from "../browser/decode.js" */
/** @import { Scale } from "../browser/interpolate.js" */
/** @import { MapHeader, MapState } from "../browser/panel.js" */
/**
 * @typedef {"help" | "keys" | "step" | "chart" | "now" | "curve" | "place"} StepWord
 * @typedef {object} Kind  of map, with what it has at every step
 * @property {string} name
 * @property {Scale[]} scales
 * @property {string[]} verdicts
 * @property {string[]} told what the verdicts do not say
 * @property {string[]} remarks
 * @typedef {object} OwnHeader
 * @property {string} summary
 * @property {string[]} stories of every step
 * @property {string[]} steps as they are written
 * @property {number[]} at how long after the first
 * @property {number} step that is shown first, by number
 * @property {Kind[]} maps
 * @property {{name: string, colour: string}[]} curves
 * @property {[number, number]} span of all curves
 * @property {number[][]} outlines of the truth
 * @property {number} alpha opacity of a map
 * @property {string[]} notes
 * @property {Record<StepWord | "pinned", string>} words
 * @typedef {Header & MapHeader & OwnHeader} TrainingHeader
 * @typedef {Record<`map${number}` | "curves", Float32Array> & {viridis: Uint8Array}}
 *   TrainingArrays  (S, P) of every kind, (curves, S)
 * @typedef {MapState & {alpha: number, step: number}} TrainingState
 */
