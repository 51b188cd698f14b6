// What do the steps from a map to a mask get from Python, and what does their reader choose?
// @ts-check

/** @import { Header } from "../browser/decode.js" */
/** @import { PictureHeader } from "../browser/picture.js" */
/** @import { Point } from "../browser/points.js" */
/** @import { State } from "../browser/state.js" */
/**
 * @typedef {{title: string, words: string, at: number}} Mask  `at` is its place in the array
 * @typedef {object} Text
 * @property {string} name
 * @property {Point[]} points
 * @property {[number, number, number, number] | null} box left, top, right, bottom
 * @property {Mask[]} masks the plain one first, then those that came back
 * @property {number} chosen place among its masks
 * @property {string} story what refinement did
 * @property {number | null} truth place in the array
 * @typedef {"help" | "keys" | "before" | "after" | "truth" | "both" | "gained" | "lost" | "neither"
 *   | "true" | "untrue" | "look" | "for" | "against"} StepWord
 * @typedef {object} OwnHeader
 * @property {string} summary
 * @property {Text[]} texts
 * @property {boolean} live whether a kernel answers clicks
 * @property {string[]} notes
 * @property {Record<StepWord, string>} words
 * @typedef {Header & PictureHeader & OwnHeader} StepHeader
 * @typedef {{masks: Uint8Array}} StepArrays  (M, h, w)
 * @typedef {{text: number, x: number, y: number, label: 0 | 1, n: number}} Click  the n-th
 * @typedef {{text: number, mask: number | null, tool: "look" | "for" | "against",
 *   click: Click | null}} Choices  mask null: the chosen one
 * @typedef {State & Choices} StepState
 */
