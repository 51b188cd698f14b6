// How does CLIP Surgery turn the raw map the right way up? By another way through the last blocks,
// read off the recorded pass, and by taking off what lights up whatever the text says: surgery.py
// and mixing.py.
// @ts-check
import { attend, headsOf, run } from "./block.js";
import { dot, layerNorm, norm, unit } from "./kernels.js";
import { readOut } from "./towers.js";

/** @import { Mix } from "./block.js" */
/** @import { ImageTower } from "./model.js" */
/** @import { Trace } from "./towers.js" */
/**
 * @typedef {"qk" | "vv" | "qq" | "kk" | "qq+kk" | "gem" | "identity"} Attention
 * @typedef {object} Rewrite  the switches of `cx.Rewrite`
 * @property {Attention} attention
 * @property {number} blocks
 * @property {boolean} dual_path
 * @property {boolean} residual
 * @property {boolean} ffn
 * @property {number | null} neighbourhood
 * @property {boolean | null} normalize
 * @property {number | null} sharpen
 * @property {number} iterations
 * @property {"original" | "rewritten"} class_token
 */

/** @type {Record<string, ("q" | "k" | "v")[][]>} */
const PAIRS = {
  qk: [["q", "k"]],
  vv: [["v", "v"]],
  qq: [["q", "q"]],
  kk: [["k", "k"]],
  "qq+kk": [
    ["q", "q"],
    ["k", "k"],
  ],
};

/**
 * Tokens (N, E) as a rewritten path through the last blocks sees them, not normalised.
 * @param {ImageTower} tower
 * @param {Trace} trace
 * @param {Rewrite} change
 */
export function rewrite(tower, trace, change) {
  if (change.blocks === 0) return trace.tokens;
  const first = tower.blocks.length - change.blocks;
  let z = trace.layers[first].residual;
  for (let n = first; n < tower.blocks.length; n++) {
    const [block, tape] = [tower.blocks[n], trace.layers[n]];
    const stream = change.dual_path ? tape.residual : z;
    const heads = change.dual_path ? tape : headsOf(block, tower, z, trace.silenced[n]);
    const mix = change.attention === "gem" ? gem(tower, n, stream, change) : mixing(tower, change);
    const { residual, ffn } = change;
    z = run(block, tower, z, { heads, mix, residual, ffn }).stream;
  }
  const tokens = readOut(tower, z);
  if (change.class_token === "original") tokens.set(trace.tokens.subarray(0, tower.joint));
  return tokens;
}

/**
 * sum over pairs of softmax(sharpen a b^T / sqrt(d) + bias) V; "identity" leaves V as it is.
 * @param {ImageTower} tower
 * @param {Rewrite} change
 * @returns {Mix}
 */
function mixing({ width, heads, grid }, { attention, normalize, sharpen, neighbourhood }) {
  const d = width / heads;
  if (attention === "identity") return ({ v }) => v;
  const bias = neighbourhood === null ? null : nearness(grid, neighbourhood);
  return (all) => {
    const ready = (/** @type {"q" | "k" | "v"} */ name) =>
      normalize ? unit(all[name], d, 1e-6) : all[name];
    const mixed = PAIRS[attention].map(([a, b]) =>
      attend(ready(a), ready(b), all.v, heads, d, (sharpen ?? 1) * d ** -0.5, bias),
    );
    return mixed.reduce((sum, one) => sum.map((value, i) => value + one[i]));
  };
}

/**
 * Mean over q-q, k-k and v-v attention of unit tokens, each refined by itself first.
 * @param {ImageTower} tower
 * @param {number} layer
 * @param {Float32Array} stream that the block reads
 * @param {Rewrite} change
 * @returns {Mix}
 */
function gem({ width, heads, eps, blocks }, layer, stream, { iterations }) {
  const [N, d] = [stream.length / width, width / heads];
  const normed = layerNorm(stream, width, blocks[layer].before, eps);
  let length = 0;
  for (let n = 0; n < N; n++) length += norm(normed, n * width, width) / N;
  const scale = length * d ** -0.5;
  return (all) => {
    const sum = new Float32Array(all.v.length);
    for (const name of /** @type {("q" | "k" | "v")[]} */ (["q", "k", "v"])) {
      let x = all[name];
      for (let n = 0; n < iterations; n++) {
        const one = unit(x, d);
        x = attend(one, one, one, heads, d, scale);
      }
      const one = unit(x, d);
      const mixed = attend(one, one, all.v, heads, d, scale);
      for (let i = 0; i < sum.length; i++) sum[i] += mixed[i] / 3;
    }
    return sum;
  };
}

/**
 * (N, N) to add to logits: exp(-distance² / 2 std²) between patches, 0 for the class token.
 * @param {number} grid
 * @param {number} std
 */
function nearness(grid, std) {
  const N = 1 + grid * grid;
  const bias = new Float32Array(N * N);
  for (let a = 0; a < N - 1; a++) {
    for (let b = 0; b < N - 1; b++) {
      const down = Math.floor(a / grid) - Math.floor(b / grid);
      const across = (a % grid) - (b % grid);
      bias[(a + 1) * N + b + 1] = Math.exp(-(down ** 2 + across ** 2) / (2 * std ** 2));
    }
  }
  return bias;
}

/**
 * Cosine of every token (N, E) with every text, one (N,) for each.
 * @param {Float32Array} tokens
 * @param {Float32Array[]} texts (E,) of unit length
 */
export function cosines(tokens, texts) {
  const E = texts[0].length;
  const ready = unit(tokens, E);
  return texts.map((text) =>
    Float32Array.from({ length: tokens.length / E }, (_, n) => dot(ready, n * E, text, 0, E)),
  );
}

/**
 * Similarity less what all texts share, (N,) for each text: less the `redundant` text's, or less
 * the mean over the texts, each weighed by how well it fits the whole image.
 * @param {Float32Array} tokens (N, E)
 * @param {Float32Array[]} texts
 * @param {Float32Array | null} redundant
 * @param {number} temperature
 */
export function featureSurgery(tokens, texts, redundant, temperature = 2) {
  const s = cosines(tokens, texts);
  if (redundant) {
    const [empty] = cosines(tokens, [redundant]);
    return s.map((own) => own.map((value, n) => value - empty[n]));
  }
  if (s.length === 1) throw new Error("one text has nothing to be compared with");
  const raised = s.map((own) => Math.exp(temperature * own[0]));
  const mean = raised.reduce((a, b) => a + b) / s.length;
  const weighted = s.map((own, t) => own.map((value) => (value * raised[t]) / mean));
  return weighted.map((own) =>
    own.map((value, n) => value - weighted.reduce((sum, one) => sum + one[n], 0) / s.length),
  );
}
