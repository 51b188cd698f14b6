// What is the page given, and what may its reader choose?
// @ts-check

/** @import { Header } from "../../view/browser/decode.js" */
/** @import { MapHeader, MapState } from "../../view/browser/panel.js" */
/** @import { Effects, Maps } from "../engine/answers.js" */
/** @import { ModelHeader } from "../engine/model.js" */
/** @import { Rewrite } from "../engine/surgery.js" */
/**
 * @typedef {object} Thing  on the stage: its centre and side as shares of the picture
 * @property {string} name
 * @property {number} x
 * @property {number} y
 * @property {number} side
 *
 * @typedef {"empty" | "labels" | "nothing"} Redundant
 * @typedef {object} Chosen  what the address keeps
 * @property {Thing[]} things the last lies in front
 * @property {string} background
 * @property {string[]} texts
 * @property {number} text whose maps are shown
 * @property {Rewrite} change
 * @property {Redundant} redundant
 * @property {number[]} silenced heads, counted layer by layer
 * @property {number | null} head whose map is shown
 * @property {number | null} word whose map is shown
 * @property {string | null} walk
 * @property {number} step
 * @typedef {Omit<Chosen, "walk" | "step">} Before  what a walk replaces
 * @typedef {MapState & Chosen & {alpha: number, selected: number | null, before: Before | null}}
 *   PlayState `before` is what comes back after a walk
 *
 * @typedef {object} Case  a sentence, and the fact that has to hold for it
 * @property {string} [when]
 * @property {string} says
 * @typedef {{set: Partial<Chosen>, cases: Case[]}} Step
 * @typedef {{name: string, title: string, steps: Step[]}} Walk
 *
 * @typedef {object} Pictures  where sprites and backgrounds lie on their sheets
 * @property {string[]} names
 * @property {number} sprite pixels of a side
 * @property {number} columns
 * @property {string[]} backgrounds
 * @property {number} tile pixels of a side
 * @typedef {ModelHeader & {presets: Record<string, Rewrite>}} PlayModel
 * @typedef {object} Own  what this page has beside what every page has
 * @property {string} engine the program of the threads
 * @property {PlayModel} model
 * @property {Pictures} pictures
 * @property {Chosen} first
 * @property {Walk[]} walks
 * @property {Case[]} verdicts
 * @property {number} alpha
 * @property {Record<"low" | "signed", string>} colours
 * @property {Record<string, string>} words
 * @typedef {Header & MapHeader & Own} PlayHeader
 * @typedef {Record<string, Uint8Array>} PlayArrays
 *
 * @typedef {object} Heard  the model's last word
 * @property {(number | null)[]} cosines
 * @property {string[]} errors
 * @property {Maps | null} maps
 * @property {Effects | null} effects of the same state, once they are there
 * @property {Chosen} asked
 */
export {};
