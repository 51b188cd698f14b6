// What does a comparison of attention and FFN get from Python, and what does its reader choose?
// @ts-check

/** @import { Header } from "../browser/decode.js" */
/** @import { Scale } from "../browser/interpolate.js" */
/** @import { MapHeader, MapState } from "../browser/panel.js" */
/** @import { Table } from "../browser/small_print.js" */
/**
 * @typedef {"help" | "keys" | "table" | "chart" | "lens" | "embedding" | "layer" | "bias"
 *   | "attention_adds" | "ffn_adds" | "ends" | "sum" | "alignment" | "selection" | "attention"
 *   | "ffn" | "marks" | "attention_map" | "ffn_map" | "difference" | "mean" | "status"
 *   | "at_patch" | "pinned" | "lower"} ModuleWord
 * @typedef {object} Selection  of a text whose mask is known
 * @property {number} chance
 * @property {string[]} told of every layer, the end of a status line
 * @property {string[]} titles of every layer
 * @typedef {object} OwnHeader
 * @property {string} summary
 * @property {string[]} texts
 * @property {number} layers
 * @property {number} layer that is shown first
 * @property {number} alpha opacity of a map
 * @property {"RdBu_r"} diverging
 * @property {string[]} scalings
 * @property {string[]} remarks
 * @property {number[][][]} outlines of every text, where its mask is known
 * @property {{all: Scale, layers: Scale[], lens: Scale, parts: [number, number]}[]} scales of every
 *   text
 * @property {string[]} closures of every text
 * @property {string[]} stories of every text
 * @property {string[][][]} captions of every text, in every scaling; with places for the `low` and
 *   `high` end of the layer's scale
 * @property {string[][]} lens_titles of every text, from the embedding on
 * @property {(Selection | null)[]} selections of every text
 * @property {string[]} kinds of attention whose selection is known
 * @property {Table[]} tables of every text
 * @property {Record<ModuleWord, string>} words
 * @typedef {Header & MapHeader & OwnHeader} ModuleHeader
 */
/**
 * @typedef {object} ModuleArrays
 * @property {Float32Array} attention (L, T, P)
 * @property {Float32Array} ffn (L, T, P)
 * @property {Float32Array} lens (L + 1, T, P)
 * @property {Float32Array} class_attention (L, T)
 * @property {Float32Array} class_ffn (L, T)
 * @property {Float32Array} embedding (T, N)
 * @property {Float32Array} bias (T, N)
 * @property {Float32Array} similarity (T, N)
 * @property {Float32Array} cumulative (T, L + 2)
 * @property {Float32Array} attention_alignment (L)
 * @property {Float32Array} ffn_alignment (L)
 * @property {Float32Array} means (L, T, 3) of attention, FFN and their difference
 * @property {Uint8Array} remarks (L, T, 3) places in the header's remarks
 * @property {Float32Array} [selection] (T, kinds, L)
 * @property {Uint8Array} RdBu_r
 * @typedef {MapState & {alpha: number, text: number, layer: number, preview: number | null}
 * } ModuleState
 */
