// What does a map of regions get from Python, and what does its reader choose?
// @ts-check

/** @import { Header } from "../browser/decode.js" */
/** @import { PictureHeader } from "../browser/picture.js" */
/** @import { State } from "../browser/state.js" */
/**
 * @typedef {[number, number, number]} Colour
 * @typedef {{name: string, words: string, colour: Colour | null}} Class  `words` stand in the key
 * @typedef {"help" | "keys" | "all" | "unseen" | "found" | "found_and_true"} RegionWord
 * @typedef {object} OwnHeader
 * @property {string} summary
 * @property {{title: string, subtitle: string}[]} panels what was found, and perhaps the truth
 * @property {Class[]} classes
 * @property {Colour} uncoloured in the key, of a class without a colour
 * @property {{faint: number, shown: number, dark: number}} opacities of 255: of another class than
 *   the chosen one, of a class, of what the model did not see
 * @property {number} unseen code of a pixel that the model did not look at, or whose truth is not
 *   known
 * @property {string[]} notes
 * @property {string} story
 * @property {Record<RegionWord, string>} words
 * @typedef {Header & PictureHeader & OwnHeader} RegionHeader
 * @typedef {object} RegionArrays
 * @property {Uint8Array} labels (panels, h, w) places in the key
 * @property {Uint8Array} confidence (h, w)
 * @typedef {State & {only: number | null}} RegionState  `only` is the class that is shown alone
 */
