// What is the model? Its sizes, and its tensors, sent in half precision and computed with in
// single.
// @ts-check

/** @import { Block, Linear, Norm, Sizes } from "./block.js" */
/** @import { Vocabulary } from "./tokens.js" */
/**
 * @typedef {object} ReadOut  `projection` (E, D) turns a token into the space where image and text
 *   meet
 * @property {Block[]} blocks
 * @property {Norm} readOut
 * @property {Float32Array} projection
 * @property {number} joint
 * @typedef {Sizes & ReadOut} Tower
 * @typedef {Tower & {patch: number, side: number, grid: number, embedding: Float32Array,
 *   classToken: Float32Array, positions: Float32Array, before: Norm,
 *   mean: number[], std: number[]}} ImageTower
 * @typedef {Tower & {context: number, embedding: Float32Array, positions: Float32Array}} TextTower
 * @typedef {object} TowerSizes  as Python says them
 * @property {number} width
 * @property {number} heads
 * @property {number} layers
 * @property {number} eps
 * @typedef {object} ModelHeader
 * @property {number} joint
 * @property {TowerSizes & {patch: number, side: number, mean: number[], std: number[]}} image
 * @property {TowerSizes & {context: number}} text
 * @property {Vocabulary} vocabulary
 * @property {Record<string, {offset: number, shape: number[]}>} tensors  where each begins, counted
 *   in numbers
 * @typedef {{image: ImageTower, text: TextTower, vocabulary: Vocabulary}} Model
 */

/**
 * @param {ModelHeader} header
 * @param {Uint16Array} halves all tensors, in half precision
 * @returns {Model}
 */
export function modelOf(header, halves) {
  const tensor = (/** @type {string} */ name) => {
    if (!Object.hasOwn(header.tensors, name)) throw new Error(`the page holds no tensor ${name}`);
    const { offset, shape } = header.tensors[name];
    return singles(halves.subarray(offset, offset + shape.reduce((a, b) => a * b, 1)));
  };
  const { joint } = header;
  const side = header.image.side / header.image.patch;
  return {
    vocabulary: header.vocabulary,
    image: {
      ...header.image,
      ...towerOf(tensor, "visual", header.image, "ln_post", joint),
      grid: side,
      embedding: tensor("visual.patch_embedding.weight"),
      classToken: tensor("visual.class_embedding"),
      positions: tensor("visual.positions.table"),
      before: normOf(tensor, "visual.ln_pre"),
    },
    text: {
      ...header.text,
      ...towerOf(tensor, "text", header.text, "ln_final", joint),
      embedding: tensor("text.token_embedding.weight"),
      positions: tensor("text.positions"),
    },
  };
}

/**
 * @param {(name: string) => Float32Array} tensor
 * @param {string} tower
 * @param {TowerSizes} sizes
 * @param {string} last the name of its final norm
 * @param {number} joint
 * @returns {Tower}
 */
function towerOf(tensor, tower, { width, heads, layers, eps }, last, joint) {
  const blocks = Array.from({ length: layers }, (_, n) => {
    const at = `${tower}.blocks.${n}`;
    return {
      before: normOf(tensor, `${at}.ln_1`),
      qkv: linearOf(tensor, `${at}.attn.qkv`),
      out: linearOf(tensor, `${at}.attn.out`),
      between: normOf(tensor, `${at}.ln_2`),
      up: linearOf(tensor, `${at}.mlp.up`),
      down: linearOf(tensor, `${at}.mlp.down`),
    };
  });
  const readOut = normOf(tensor, `${tower}.${last}`);
  return { width, heads, eps, blocks, readOut, projection: tensor(`${tower}.projection`), joint };
}

/**
 * @param {(name: string) => Float32Array} tensor
 * @param {string} name
 * @returns {Norm}
 */
function normOf(tensor, name) {
  return { gain: tensor(`${name}.weight`), bias: tensor(`${name}.bias`) };
}

/**
 * @param {(name: string) => Float32Array} tensor
 * @param {string} name
 * @returns {Linear}
 */
function linearOf(tensor, name) {
  return { weight: tensor(`${name}.weight`), bias: tensor(`${name}.bias`) };
}

/**
 * Numbers in half precision (IEEE 754) as single ones, exactly.
 * @param {Uint16Array} halves
 */
export function singles(halves) {
  const bits = new Uint32Array(halves.length);
  const values = new Float32Array(bits.buffer);
  for (let i = 0; i < halves.length; i++) {
    const half = halves[i];
    const [sign, exponent, fraction] = [half >> 15, (half >> 10) & 31, half & 1023];
    if (exponent === 0) values[i] = (sign ? -1 : 1) * fraction * 2 ** -24;
    else
      bits[i] = (sign << 31) | ((exponent === 31 ? 255 : exponent + 112) << 23) | (fraction << 13);
  }
  return values;
}
