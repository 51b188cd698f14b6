// What does the grid of heads get from Python, and what does its reader choose?
// @ts-check

/** @import { Header } from "../browser/decode.js" */
/** @import { Scale } from "../browser/interpolate.js" */
/** @import { MapHeader, MapState } from "../browser/panel.js" */
/** @import { Table } from "../browser/small_print.js" */
/**
 * @typedef {"help" | "keys" | "table" | "grid" | "cell" | "head" | "all_heads" | "from_patches"
 *   | "status" | "at_patch" | "pinned" | "image" | "size"} HeadWord
 * @typedef {"messenger_help" | "heads" | "messenger" | "written_by" | "on_it" | "on_all"
 *   | "strongest" | "their_sum" | "wrote"} MessengerWord
 * @typedef {object} OwnHeader
 * @property {string} summary
 * @property {string[]} texts
 * @property {number} layers
 * @property {number} heads
 * @property {[number, number]} head layer and head that are shown first
 * @property {number} alpha opacity of a map
 * @property {"RdBu_r"} diverging
 * @property {string[]} scalings
 * @property {string[]} remarks
 * @property {number[][][]} outlines of every text, where its mask is known
 * @property {string[]} rows names of the grid's rows: heads, bias, FFN
 * @property {string[]} ticks names of its columns
 * @property {{cells: Scale, one: Scale, all: Scale, written?: Scale}[]} scales of every text
 * @property {string[]} messages of every text, with places; none where it is not known what layers
 *   wrote into patches
 * @property {string} gathers what stands for the whole image
 * @property {string[]} closures of every text
 * @property {string[]} stories of every text
 * @property {string[][]} captions of every text
 * @property {Table[]} tables of every text
 * @property {Record<HeadWord | MessengerWord, string>} words
 * @typedef {Header & MapHeader & OwnHeader} HeadGridHeader
 */
/**
 * @typedef {object} HeadArrays
 * @property {Float32Array} heads (L, H, T, P) shares by patch
 * @property {Float32Array} from_patches (L, H, T) their sums
 * @property {Float32Array} from_class (L, H, T) shares from [class]
 * @property {Float32Array} all_from_patches (T) sums over all heads
 * @property {Float32Array} cells (T, H + 2, L)
 * @property {Float32Array} similarity (T)
 * @property {Uint8Array} remarks (T, L * H + 1) places in the header's remarks
 * @property {Uint8Array} RdBu_r
 * @property {Float32Array} written (L, T, P) what layers wrote into patches; here and below,
 *   nothing without messages
 * @property {Uint8Array} remarks_written (T, L) places in the header's remarks
 * @property {Float32Array} fetched_on (T, L, H) shares from the patches of the thing
 * @property {Float32Array} written_on (T, L, 3) means inside and outside of the thing, and of all
 * @typedef {MapState & {alpha: number, text: number, at: number, preview: number | null,
 *   messenger: boolean}} HeadState  `at` counts the heads layer by layer
 */
