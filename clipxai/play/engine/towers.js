// How do pixels and words come to meet? Each through its tower, to a place in one space. What
// happens in the image tower is written down, as `cx.record` does, since all maps are read from it.
// @ts-check
import { attend, run } from "./block.js";
import { layerNorm, linear, plus, unit } from "./kernels.js";

/** @import { Heads, Tape } from "./block.js" */
/** @import { ImageTower, TextTower, Tower } from "./model.js" */
/**
 * @typedef {object} Trace  one pass of the image tower
 * @property {Tape[]} layers
 * @property {Float32Array} stream (N, D) after the last block
 * @property {Float32Array} tokens (N, E) in the joint space, not normalised, [class] first
 * @property {number[][]} silenced heads of each layer that brought nothing
 */

/**
 * Rows of a stream (N, D) through the final norm and the projection: (N, E).
 * @param {Tower} tower
 * @param {Float32Array} stream
 */
export function readOut(tower, stream) {
  const { width, joint, eps } = tower;
  const normed = layerNorm(stream, width, tower.readOut, eps);
  return linear(normed, stream.length / width, width, tower.projection, joint);
}

/**
 * A picture's colours, red, green, blue, … row by row in 0…255 (with a fourth number that is not
 * read), as the tower reads it: (3, side, side).
 * @param {ImageTower} tower
 * @param {ArrayLike<number>} colours
 */
export function normalised({ side, mean, std }, colours) {
  const pixels = new Float32Array(3 * side * side);
  for (let c = 0, i = 0; c < 3; c++) {
    for (let n = 0; n < side * side; n++) {
      pixels[i++] = (Math.fround(colours[4 * n + c] / 255) - mean[c]) / std[c];
    }
  }
  return pixels;
}

/**
 * Pixels (3, side, side) through the image tower.
 * @param {ImageTower} tower
 * @param {Float32Array} pixels
 * @param {number[][]} [silenced] heads of each layer
 * @returns {Trace}
 */
export function see(tower, pixels, silenced = tower.blocks.map(() => [])) {
  const { width, heads } = tower;
  const d = width / heads;
  const mix = (/** @type {Heads} */ { q, k, v }) => attend(q, k, v, heads, d, d ** -0.5);
  /** @type {Float32Array} */
  let stream = embed(tower, pixels);
  /** @type {Tape[]} */
  const layers = [];
  tower.blocks.forEach((block, n) => {
    const ran = run(block, tower, stream, { mix, silenced: silenced[n] });
    layers.push(ran.tape);
    stream = ran.stream;
  });
  return { layers, stream, tokens: readOut(tower, stream), silenced };
}

/**
 * Pixels to the stream entering block 0: a token for the whole, and one for every patch.
 * @param {ImageTower} tower
 * @param {Float32Array} pixels
 */
function embed(
  { width, patch, side, grid, embedding, classToken, positions, before, eps },
  pixels,
) {
  const inside = 3 * patch * patch;
  const patches = new Float32Array(grid * grid * inside);
  for (let p = 0, i = 0; p < grid * grid; p++) {
    const [top, left] = [Math.floor(p / grid) * patch, (p % grid) * patch];
    for (let c = 0; c < 3; c++) {
      for (let y = 0; y < patch; y++) {
        const at = (c * side + top + y) * side + left;
        for (let x = 0; x < patch; x++) patches[i++] = pixels[at + x];
      }
    }
  }
  const tokens = new Float32Array((1 + grid * grid) * width);
  tokens.set(classToken);
  tokens.set(linear(patches, grid * grid, inside, embedding, width), width);
  return layerNorm(plus(tokens, positions), width, before, eps);
}

/**
 * Token ids to a text's place in the joint space, of unit length: (E,). What stands behind [end]
 * cannot change it, as no token knows those after it.
 * @param {TextTower} tower
 * @param {number[]} ids
 * @param {number} end id of [end]
 */
export function read(tower, ids, end) {
  const { width, heads, joint } = tower;
  const [d, N] = [width / heads, ids.indexOf(end) + 1];
  const later = new Float32Array(N * N);
  for (let n = 0; n < N; n++) later.fill(-Infinity, n * N + n + 1, (n + 1) * N);
  const mix = (/** @type {Heads} */ { q, k, v }) => attend(q, k, v, heads, d, d ** -0.5, later);
  /** @type {Float32Array} */
  let stream = new Float32Array(N * width);
  for (let n = 0; n < N; n++) {
    for (let i = 0; i < width; i++) {
      stream[n * width + i] = tower.embedding[ids[n] * width + i] + tower.positions[n * width + i];
    }
  }
  for (const block of tower.blocks) stream = run(block, tower, stream, { mix }).stream;
  return unit(readOut(tower, stream.subarray((N - 1) * width)), joint);
}
