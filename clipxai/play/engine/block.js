// What is one transformer block? x + Attention(LN(x)), then x + FFN(LN(x)): the recipe of
// block.py, for one image or text at a time.
// Axes: H heads, N tokens, D width, d = D / H. Heads are kept one behind the other, (H, N, d).
// @ts-check
import { gelu, layerNorm, linear, plus, softmax, transposed } from "./kernels.js";

/**
 * @typedef {{gain: Float32Array, bias: Float32Array}} Norm
 * @typedef {{weight: Float32Array, bias: Float32Array | null}} Linear  weight (out, in)
 * @typedef {{q: Float32Array, k: Float32Array, v: Float32Array}} Heads
 * @typedef {object} Block
 * @property {Norm} before the attention
 * @property {Linear} qkv
 * @property {Linear} out
 * @property {Norm} between
 * @property {Linear} up
 * @property {Linear} down
 * @typedef {{width: number, heads: number, eps: number}} Sizes
 * @typedef {(heads: Heads) => Float32Array} Mix  what every head reads, (H, N, d)
 * @typedef {Heads & {residual: Float32Array, ffn: Float32Array | null}} Tape  what happened:
 *   `residual` entered the block, `ffn` is what its FFN added
 * @typedef {object} Way  how a block runs
 * @property {Heads} [heads] instead of those of the stream
 * @property {Mix} mix
 * @property {boolean} [residual] whether the stream is kept
 * @property {boolean} [ffn] whether the FFN runs
 * @property {number[]} [silenced] heads that bring nothing
 */

/**
 * Queries, keys and values of a stream; a silenced head has no values, and so brings nothing.
 * @param {Block} block
 * @param {Sizes} sizes
 * @param {Float32Array} x
 * @param {number[]} silenced
 * @returns {Heads}
 */
export function headsOf(block, { width, heads, eps }, x, silenced) {
  const [N, d] = [x.length / width, width / heads];
  const read = layerNorm(x, width, block.before, eps);
  const all = linear(read, N, width, block.qkv.weight, 3 * width, block.qkv.bias);
  const [q, k, v] = [0, 1, 2].map((part) => {
    const own = new Float32Array(N * width);
    for (let h = 0, i = 0; h < heads; h++) {
      for (let n = 0; n < N; n++) {
        const at = n * 3 * width + part * width + h * d;
        for (let c = 0; c < d; c++) own[i++] = all[at + c];
      }
    }
    return own;
  });
  for (const head of silenced) v.fill(0, head * N * d, (head + 1) * N * d);
  return { q, k, v };
}

/**
 * A stream (N, D) through a block.
 * @param {Block} block
 * @param {Sizes} sizes
 * @param {Float32Array} x
 * @param {Way} way
 * @returns {{stream: Float32Array, tape: Tape}}
 */
export function run(block, sizes, x, { heads, mix, residual = true, ffn = true, silenced = [] }) {
  const { width, eps } = sizes;
  const N = x.length / width;
  const used = heads ?? headsOf(block, sizes, x, silenced);
  const merged = sideBySide(mix(used), sizes);
  const attention = linear(merged, N, width, block.out.weight, width, block.out.bias);
  const z = residual ? plus(x, attention) : attention;
  if (!ffn) return { stream: z, tape: { ...used, residual: x, ffn: null } };
  const hidden = /** @type {Float32Array} */ (block.up.bias).length;
  const read = layerNorm(z, width, block.between, eps);
  const inside = gelu(linear(read, N, width, block.up.weight, hidden, block.up.bias));
  const added = linear(inside, N, hidden, block.down.weight, width, block.down.bias);
  return { stream: plus(z, added), tape: { ...used, residual: x, ffn: added } };
}

/**
 * What the heads read, (H, N, d), beside one another: (N, D).
 * @param {Float32Array} read
 * @param {Sizes} sizes
 */
function sideBySide(read, { width, heads }) {
  const [N, d] = [read.length / width, width / heads];
  const merged = new Float32Array(read.length);
  for (let h = 0, i = 0; h < heads; h++) {
    for (let n = 0; n < N; n++)
      for (let c = 0; c < d; c++) merged[n * width + h * d + c] = read[i++];
  }
  return merged;
}

/**
 * softmax(scale a b^T + bias) v of every head, (H, N, d).
 * @param {Float32Array} a
 * @param {Float32Array} b
 * @param {Float32Array} v
 * @param {number} heads
 * @param {number} d
 * @param {number} scale
 * @param {Float32Array | null} [bias] (N, N)
 */
export function attend(a, b, v, heads, d, scale, bias = null) {
  const N = a.length / heads / d;
  const read = new Float32Array(v.length);
  for (let h = 0; h < heads; h++) {
    const own = (/** @type {Float32Array} */ x) => x.subarray(h * N * d, (h + 1) * N * d);
    const logits = linear(own(a), N, d, own(b), N);
    for (let i = 0; i < logits.length; i++) logits[i] = logits[i] * scale + (bias ? bias[i] : 0);
    read.set(linear(softmax(logits, N), N, N, transposed(own(v), d), d), h * N * d);
  }
  return read;
}
