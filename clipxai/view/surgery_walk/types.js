// What does the walk through the surgery get from Python, and what does its reader choose?
// @ts-check

/** @import { Header } from "../browser/decode.js" */
/** @import { Scale } from "../browser/interpolate.js" */
/** @import { MapHeader, MapState } from "../browser/panel.js" */
/**
 * @typedef {"help" | "keys" | "steps" | "previous" | "next" | "play" | "stop" | "board" | "place"}
 *   WalkWord
 * @typedef {object} Text  with what it has at every step
 * @property {string} name
 * @property {string[]} stories
 * @property {Scale[]} scales
 * @property {string[]} verdicts
 * @property {(number | null)[]} contrasts −1…1
 * @property {string[]} written the same in hundredths
 * @property {string[]} remarks
 * @property {number[][]} outlines of the truth
 * @typedef {{name: string, why: string}} Step
 * @typedef {object} Box  of the diagram, there at the steps `since` to `until`
 * @property {string} word
 * @property {string} title
 * @property {number} left
 * @property {number} top
 * @property {number} width
 * @property {number} height
 * @property {"model" | "second"} kind
 * @property {number} since
 * @property {number} until
 * @property {number} out from this step on it is crossed out
 * @typedef {object} Line
 * @property {number[]} points x, y, x, y …
 * @property {"model" | "second" | "values"} kind
 * @property {number} since
 * @property {number} until
 * @typedef {object} Board
 * @property {number} width
 * @property {number} height
 * @property {number} letters their height
 * @property {Box[]} boxes
 * @property {Line[]} lines
 * @property {{x: number, word: string}[]} ticks
 * @typedef {object} OwnHeader
 * @property {string} summary
 * @property {Text[]} texts
 * @property {Step[]} steps
 * @property {number} step that is shown first, by number
 * @property {Board} board
 * @property {number} alpha opacity of a map
 * @property {string[]} notes
 * @property {Record<WalkWord | "pinned", string>} words
 * @typedef {Header & MapHeader & OwnHeader} WalkHeader
 * @typedef {Record<`map${number}`, Float32Array> & {viridis: Uint8Array}} WalkArrays  (S, P) of
 *   every text
 * @typedef {MapState & {alpha: number, step: number, text: number}} WalkState
 */
