// What does a comparison of methods get from Python, and what does its reader choose?
// @ts-check

/** @import { Header } from "../browser/decode.js" */
/** @import { Scale } from "../browser/interpolate.js" */
/** @import { MapHeader, MapState } from "../browser/panel.js" */
/**
 * @typedef {"help" | "keys" | "table" | "idle" | "place" | "pinned_place"
 *   | "no_patch" | "spoken" | "spoken_map" | "table_title" | "table_column"
 *   | "outside_cell" | "cut" | "merits" | "merits_map"} ComparisonWord
 * @typedef {object} ComparisonSpec  a map as the header tells of it
 * @property {string} text
 * @property {string} title
 * @property {string} method
 * @property {string} name its method for people
 * @property {string} verdict which way up it is; empty where the truth is unknown
 * @property {number} source number of its explanation, and of its grid
 * @property {number} row number of the text in it
 * @property {string} remark
 * @property {number[]} overlaps of the map with the truth in hundredths, cut at 0, 0.01 … 1; none
 *   where the truth is unknown
 * @property {Record<string, string>} merits
 * @property {string} told what its verdict does not say
 * @typedef {object} OwnHeader
 * @property {string} summary
 * @property {ComparisonSpec[]} panels
 * @property {{text: string | null, title: string, story: string,
 *   rows: (number | null)[][]}[]} layouts which maps
 *   stand where, for all texts and for each alone; null is the photo
 * @property {string | null} text that is shown first; null for all
 * @property {number} alpha opacity of a map
 * @property {{label: string, caption: string, scales: Scale[]}[]} scalings
 * @property {{label: string, threshold: number}[]} overlays what is drawn over the maps, and from
 *   which threshold at first
 * @property {Record<string, number[][]>} outlines of true masks, by text
 * @property {{size: [number, number], threshold: number}} [refined] how large the masks are, and
 *   which threshold of the points they were made from
 * @property {string[]} notes
 * @property {{head: string[], rows: number}} table
 * @property {{title: string, names: string[]}} merits
 * @property {Record<ComparisonWord, string>} words
 * @typedef {Header & MapHeader & OwnHeader} ComparisonHeader
 * @typedef {{viridis: Uint8Array, RdBu_r: Uint8Array, masks: Uint8Array}} OwnArrays
 * @typedef {Record<`maps${number}`, Float32Array> & OwnArrays} ComparisonArrays  scores (T, P) of
 *   each explanation; masks (P, h, w) of the panels, where the header has `refined`
 * @typedef {object} OwnState
 * @property {string | null} text
 * @property {number} alpha
 * @property {number} overlay
 * @property {number} threshold
 * @typedef {MapState & OwnState} ComparisonState
 */
