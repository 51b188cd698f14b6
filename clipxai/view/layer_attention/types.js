// What does the figure of attention get from Python, and what does its reader choose?
// @ts-check

/** @import { Header } from "../browser/decode.js" */
/** @import { PictureHeader } from "../browser/picture.js" */
/** @import { Cell, State, Store } from "../browser/state.js" */
/** @import { Palette } from "../browser/film.js" */
/** @import { Weights } from "./weights.js" */
/**
 * @typedef {"help" | "keys" | "table" | "image_hint" | "class" | "class_hint" | "beside" | "place"
 *   | "query" | "query_head" | "query_pool" | "held" | "map_title" | "map_subtitle" | "reading"
 *   | "pool_even" | "most" | "itself" | "rough" | "times" | "beyond" | "spoken" | "spoken_map"
 *   | "table_title" | "on_thing" | "sinks_here"} MapWord  at the large maps
 * @typedef {"story" | "story_alike" | "story_alone" | "story_head" | "gaze" | "first_gaze"
 *   | "alike" | "also_alike"} StoryWord  above all
 * @typedef {"rollout" | "strip_hint" | "strip_label" | "heads_title" | "heads_label" | "heads_own"
 *   | "heads_shared" | "every_patch" | "head_hint" | "merit" | "merit_hint" | "merit_label"
 *   | "merit_range" | "pool_strip" | "pool_label" | "pool_hint" | "pool_mean" | "pool_head"
 *   | "pool_ticks" | "head_tick" | "layer_tick"} StripWord  at the little ones
 * @typedef {"colour" | "patch" | "mean_of_heads" | "one_head" | "in_strips" | "own_scales"
 *   | "scale_of_layers" | "scale_of_kinds" | "left_out" | "nothing_left_out" | "the_query"
 *   | "the_sinks" | "rollout_note" | "rollout_own" | "rollout_shared" | "missing_heads"
 *   | "pool_note" | "heads_there" | "heads_nowhere" | "steps" | "sinks_note"} CaptionWord
 * @typedef {"every_kind" | "more" | "without" | "without_sinks"} ControlWord
 * @typedef {{name: string, label: string, meaning: string}} Kind  of attention
 * @typedef {Kind & {unit: string}} Statistic  a figure of merit of every head
 * @typedef {object} OwnHeader
 * @property {string} summary
 * @property {Kind[]} kinds
 * @property {Statistic[]} statistics
 * @property {number[]} layers numbers of those that are here
 * @property {string[]} ticks their names
 * @property {number} heads
 * @property {number} tokens of which an even gaze gives each the same
 * @property {string} whole what stands for the image: token 0 of the rows
 * @property {string} beside what is looked at and is no patch: token 0 of a row; "" if nothing is
 * @property {number} nearly_even of the largest weight, that the lowest has in a map of one colour
 * @property {string} story what is to be seen first
 * @property {number[]} columns tokens whose weights travel exactly
 * @property {number[]} headed layers whose single heads are here for every patch
 * @property {number[]} sinks tokens
 * @property {number[][]} sinks_in which of them are looked at so much, layer by layer
 * @property {string[]} on the thing that every patch lies on; nothing where none is known
 * @property {number} steps of the square root of a weight
 * @property {number} query token that is shown first
 * @property {number} layer that is shown first, counted among those that are here
 * @property {number} alpha opacity of a map
 * @property {number} dim brightness of what the model did not see
 * @property {number} unknown grey of what is no number
 * @property {"viridis"} sequential
 * @property {string[]} scalings
 * @property {number[][]} outlines of the things, where they are known
 * @property {string[]} notes
 * @property {{head: string[], rows: number}} table
 * @property {Record<MapWord | StoryWord | StripWord | CaptionWord | ControlWord, string>} words
 * @typedef {Header & PictureHeader & OwnHeader} AttentionHeader
 */
/**
 * @typedef {Record<string, Float32Array> & {viridis: Uint8Array}} GivenArrays
 * @typedef {Record<string, Float32Array> & {pool?: Float32Array}} AttentionArrays  by kind, see the
 *   payload in Python; `pool` where a learned query reads the tokens
 * @typedef {object} OwnState
 * @property {number} layer
 * @property {Cell | null} reading the patch of a map that is read
 * @property {number | null} head null for the mean
 * @property {string | null} kind null for all
 * @property {boolean} own whether each map has its own scale
 * @property {boolean} withoutClass whether [class] is left out of the scale
 * @property {boolean} withoutSinks
 * @property {boolean} withoutSelf
 * @property {number} alpha
 * @property {boolean} smooth
 * @typedef {State & OwnState} AttentionState
 * @typedef {{token: number, layer: number, head: number | null, kinds: Kind[]}} Sight  one query
 *   token in one layer, mean of heads (null) or, where it is known, one head
 * @typedef {object} AttentionFigure
 * @property {AttentionHeader} header
 * @property {AttentionArrays} arrays
 * @property {Store<AttentionState>} store
 * @property {Weights} weights
 * @property {Palette} palette
 */
