// What was on the stage when the model was asked? Each shot of it keeps its pixels, and what of
// them belongs to which thing.
// @ts-check
import { context2d } from "../../view/browser/draw.js";
import { coverage } from "./facts.js";
import { coloursOf, drawScene, masksOf, outlinesOf } from "./scene.js";

/** @import { Sheets } from "./scene.js" */
/** @import { Thing } from "./types.js" */
const FINER = 2; // outlines are finer than what the model sees

/**
 * @typedef {object} Shot
 * @property {number} number
 * @property {Thing[]} things
 * @property {string} background
 * @property {Uint8ClampedArray} colours
 * @property {string} photo data URL
 * @property {Uint8Array[]} masks of the things
 * @property {number[][][]} outlines of the things
 * @property {Float32Array[]} covered of every patch, by each thing
 */

/**
 * @param {Sheets} sheets
 * @param {number} size
 * @param {number} grid
 */
export function createScenes(sheets, size, grid) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = size;
  /** @type {Shot | null} */
  let last = null;
  return {
    /**
     * @param {{things: Thing[], background: string}} scene
     * @returns {Shot}
     */
    shoot({ things, background }) {
      if (last?.things === things && last.background === background) return last;
      context2d(canvas).clearRect(0, 0, size, size);
      drawScene(canvas, sheets, { things, background });
      const masks = masksOf(sheets, things, size);
      last = {
        ...{ number: (last?.number ?? 0) + 1, things, background, masks },
        colours: coloursOf(sheets, { things, background }, size),
        photo: canvas.toDataURL(),
        outlines: masksOf(sheets, things, FINER * size).map((mask) =>
          outlinesOf(mask, FINER * size).map((line) => line.map((place) => place / FINER)),
        ),
        covered: masks.map((mask) => coverage(mask, size, grid)),
      };
      return last;
    },
    /** @param {Shot} shot */
    withoutEach: (shot) => shot.things.map((_, n) => coloursOf(sheets, shot, size, n)),
  };
}
