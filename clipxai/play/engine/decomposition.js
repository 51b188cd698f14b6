// What did each head of each layer fetch from each patch, and what was it worth to the cosine?
// Exact, with nothing left over: decomposition.py, whose biases stand by themselves here too.
// @ts-check
import { dot, norm, softmax, statistics } from "./kernels.js";

/** @import { ImageTower } from "./model.js" */
/** @import { Trace } from "./towers.js" */
/**
 * @typedef {object} Shares  of the cosine with one text; all of them add up to it
 * @property {Float32Array[][]} heads of each layer and head, by the token it was fetched from (N,)
 * @property {number[]} biases behind the heads of each layer
 * @property {number[]} ffns of each layer
 * @property {number} embedding
 * @property {number} norm the final norm's bias
 */

/**
 * @param {ImageTower} tower
 * @param {Trace} trace
 * @param {Float32Array} text (E,) of unit length
 * @returns {Shares}
 */
export function sharesOf(tower, trace, text) {
  const { width, heads, joint, blocks, eps } = tower;
  const d = width / heads;
  const { deviation } = statistics(trace.stream, 0, width, eps);
  const length = norm(trace.tokens, 0, joint);
  const raw = Float64Array.from({ length: width }, (_, i) => projected(tower, text, i));
  const gained = raw.map((value, i) => value * tower.readOut.gain[i]);
  const mean = gained.reduce((a, b) => a + b) / width;
  const worth = gained.map((value) => (value - mean) / deviation / length);
  const ofHeads = trace.layers.map(({ q, k, v }, layer) =>
    Array.from({ length: heads }, (_, h) => {
      const N = q.length / width;
      const at = h * N * d;
      const looked = new Float32Array(N);
      for (let n = 0; n < N; n++) looked[n] = dot(q, at, k, at + n * d, d) * d ** -0.5;
      softmax(looked, N);
      const byChannel = Float64Array.from({ length: d }, (_, c) => {
        let sum = 0;
        for (let i = 0; i < width; i++) {
          sum += blocks[layer].out.weight[i * width + h * d + c] * worth[i];
        }
        return sum;
      });
      return looked.map((weight, n) => weight * dot(v, at + n * d, byChannel, 0, d));
    }),
  );
  return {
    heads: ofHeads,
    biases: blocks.map(({ out }) =>
      dot(/** @type {Float32Array} */ (out.bias), 0, worth, 0, width),
    ),
    ffns: trace.layers.map(({ ffn }) => (ffn ? dot(ffn, 0, worth, 0, width) : 0)),
    embedding: dot(trace.layers[0].residual, 0, worth, 0, width),
    norm: dot(tower.readOut.bias, 0, raw, 0, width) / length,
  };
}

/**
 * What a channel of a normed token adds to its product with a text.
 * @param {ImageTower} tower
 * @param {Float32Array} text
 * @param {number} channel
 */
function projected({ projection, width, joint }, text, channel) {
  let sum = 0;
  for (let e = 0; e < joint; e++) sum += projection[e * width + channel] * text[e];
  return sum;
}

/**
 * The map of a text: what all heads together fetched from each patch, (P,).
 * @param {Shares} shares
 */
export function mapOf({ heads }) {
  const P = heads[0][0].length - 1;
  const map = new Float32Array(P);
  for (let p = 0; p < P; p++) {
    let sum = 0;
    for (const layer of heads) for (const head of layer) sum += head[p + 1];
    map[p] = sum;
  }
  return map;
}
