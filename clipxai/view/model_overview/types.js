// What does the model as one picture get from Python, and what does its reader choose?
// @ts-check

/** @import { Header } from "../browser/decode.js" */
/** @import { PictureHeader } from "../browser/picture.js" */
/** @import { State } from "../browser/state.js" */
/**
 * @typedef {"image" | "attention" | "ffn" | "stream" | "rail" | "joint" | "text"} Box
 * @typedef {object} OwnHeader
 * @property {string} summary
 * @property {string[]} texts
 * @property {string[]} openings the story of every text
 * @property {string[]} openings_changed the same with other switches of the second rail on
 * @property {number[][][]} outlines of every text, where its mask is known
 * @property {{box: Box, layer: number, head: number}[]} stories the box that each opens
 * @property {number[]} numbers of the texts in the trace
 * @property {number} text that is shown first
 * @property {number[]} asked of every text, the patch whose rows are shown beside the whole image
 * @property {[number, number] | null} followed the patch that is followed first; null: the whole
 *   image
 * @property {number} layers
 * @property {number} width numbers of a token
 * @property {number} leading tokens before the patches
 * @property {boolean} stream whether there is one
 * @property {number} stations of the lens
 * @property {number} heads
 * @property {number} patch_heads of the rows of patches: all, 1 for their mean, or 0
 * @property {number} kept_class tokens kept of a row of [class]
 * @property {number} kept tokens kept of a row of a patch
 * @property {string[][]} readings the tokens of every text, if known
 * @property {number} text_layers
 * @property {{blocks: number, switches: number, names: string[], titles: string[]} | null} rail
 * @property {number} rail_stations
 * @property {Record<string, string>} codes
 * @property {string[][]} rail_codes of every setting, without and with the empty text taken off
 * @property {string[]} captions
 * @property {string} tower
 * @property {"viridis"} sequential
 * @property {"RdBu_r"} diverging
 * @property {Record<string, string>} words
 * @typedef {Header & Omit<PictureHeader, "words"> & OwnHeader & {alpha: number}} OverviewHeader
 */
/**
 * @typedef {object} KnownArrays
 * @property {Uint8Array} viridis
 * @property {Uint8Array} RdBu_r
 * @property {Float32Array} lens (stations, T, 1 + P)
 * @property {Float32Array} [attention] (L, T, 1 + P)
 * @property {Float32Array} [ffn] (L, T, 1 + P)
 * @property {Float32Array} [heads] (L, H, T)
 * @property {Float32Array} [fetched] (L, H, T, K)
 * @property {Float32Array} [values] (L, H or 1, N)
 * @property {Float32Array} [rail] (settings, stations, T, P)
 * @property {Float32Array} [empty] (settings, P)
 * @typedef {KnownArrays & Record<string, Uint8Array | Float32Array>} OverviewArrays
 */
/**
 * @typedef {object} OwnState
 * @property {number} text
 * @property {Box} box that is open
 * @property {number} layer
 * @property {number} head
 * @property {number} setting of the second rail, bit by bit
 * @property {number} word
 * @typedef {State & OwnState} OverviewState
 * @typedef {object} Row  where a token looks
 * @property {number[]} tokens the most looked at first
 * @property {number[]} weights
 * @property {number} level
 * @property {number} spread
 * @property {number} count of all tokens
 * @typedef {{first: number, last: number}} Column  blocks that stand in one column
 * @typedef {object} Drawer  what an open box shows
 * @property {HTMLElement} node
 * @property {() => void} show another layer, text or head
 * @property {() => void} follow another patch
 * @property {() => void} [draw] also what only size can spoil
 */
