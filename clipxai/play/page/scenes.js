// What was on the stage when the model was asked? Each shot of it knows its pixels, and what of
// them belongs to which thing.
// @ts-check
import { coverage } from "./facts.js";
import { coloursOf, drawScene, masksOf, outlinesOf } from "./scene.js";

/** @import { Sheets } from "./scene.js" */
/** @import { Thing } from "./types.js" */
/** @typedef {{things: Thing[], background: string}} Scene */
const FINER = 2; // outlines are finer than what the model sees

/**
 * A scene as it was. The model waits for its colours alone; all else is found out when it is asked
 * for, in tasks of its own while the model computes, so that none of them holds the page up.
 */
export class Shot {
  /** @type {string | undefined} */
  #photo;
  /** @type {Uint8Array[] | undefined} */
  #masks;
  /** @type {number[][][] | undefined} */
  #outlines;
  /** @type {Float32Array[] | undefined} */
  #covered;
  /** @type {Sheets} */
  #sheets;
  /** @type {number} */
  #size;
  /** @type {number} */
  #grid;

  /**
   * @param {Sheets} sheets
   * @param {Scene} scene
   * @param {number} number
   * @param {number} size
   * @param {number} grid
   */
  constructor(sheets, { things, background }, number, size, grid) {
    this.things = things;
    this.background = background;
    this.number = number;
    this.colours = coloursOf(sheets, { things, background }, size);
    [this.#sheets, this.#size, this.#grid] = [sheets, size, grid];
  }

  /** A data URL. */
  get photo() {
    return (this.#photo ??= photoOf(this.#sheets, this, this.#size));
  }

  /** Those of the things. */
  get masks() {
    return (this.#masks ??= masksOf(this.#sheets, this.things, this.#size));
  }

  /** Those of the things. */
  get outlines() {
    const size = FINER * this.#size;
    return (this.#outlines ??= masksOf(this.#sheets, this.things, size).map((mask) =>
      outlinesOf(mask, size).map((line) => line.map((place) => place / FINER)),
    ));
  }

  /** How much of every patch, by each thing. */
  get covered() {
    return (this.#covered ??= this.masks.map((mask) => coverage(mask, this.#size, this.#grid)));
  }

  /** Colours without each of the things. */
  withoutEach() {
    return this.things.map((_, n) => coloursOf(this.#sheets, this, this.#size, n));
  }

  prepare() {
    setTimeout(() => this.covered);
    setTimeout(() => this.outlines);
    setTimeout(() => this.photo);
  }
}

/**
 * @param {Sheets} sheets
 * @param {Scene} scene
 * @param {number} size
 */
function photoOf(sheets, scene, size) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = size;
  drawScene(canvas, sheets, scene);
  return canvas.toDataURL();
}

/**
 * @param {Sheets} sheets
 * @param {number} size
 * @param {number} grid
 */
export function createScenes(sheets, size, grid) {
  /** @type {Shot | null} */
  let last = null;
  return {
    /**
     * @param {Scene} scene
     * @returns {Shot}
     */
    shoot(scene) {
      if (last?.things === scene.things && last.background === scene.background) return last;
      last = new Shot(sheets, scene, (last?.number ?? 0) + 1, size, grid);
      last.prepare();
      return last;
    },
  };
}
