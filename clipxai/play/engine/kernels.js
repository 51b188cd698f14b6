// What does a transformer compute with? Products of matrices, norms, one activation, one softmax.
// Sums run in double precision and are kept in single.
// @ts-check
import { fast } from "./compiled.js";

/**
 * y = x w^T + b, for x (N, I) and w (O, I), row by row: (N, O). Two rows times four are
 * computed at a time, so that what is read once is used several times.
 * @param {Float32Array} x
 * @param {number} N
 * @param {number} I
 * @param {Float32Array} w
 * @param {number} O
 * @param {Float32Array | null} [b]
 */
export function linear(x, N, I, w, O, b = null) {
  const y = fast ? fast(x, N, I, w, O) : product(x, N, I, w, O);
  if (b) for (let n = 0, i = 0; n < N; n++) for (let o = 0; o < O; o++) y[i++] += b[o];
  return y;
}

/**
 * The same without bias and without WebAssembly.
 * @param {Float32Array} x
 * @param {number} N
 * @param {number} I
 * @param {Float32Array} w
 * @param {number} O
 */
export function product(x, N, I, w, O) {
  const y = new Float32Array(N * O);
  const whole = O - (O % 4);
  for (let n = 0; n < N; n += 2) {
    const first = n * I;
    const other = Math.min(n + 1, N - 1) * I; // an odd last row is computed twice
    const [at, below] = [n * O, Math.min(n + 1, N - 1) * O];
    for (let o = 0; o < whole; o += 4) {
      const p = o * I;
      const q = p + I;
      const r = q + I;
      const s = r + I;
      let [a0, a1, a2, a3, c0, c1, c2, c3] = [0, 0, 0, 0, 0, 0, 0, 0];
      for (let i = 0; i < I; i++) {
        const u = x[first + i];
        const v = x[other + i];
        const w0 = w[p + i];
        const w1 = w[q + i];
        const w2 = w[r + i];
        const w3 = w[s + i];
        a0 += u * w0;
        a1 += u * w1;
        a2 += u * w2;
        a3 += u * w3;
        c0 += v * w0;
        c1 += v * w1;
        c2 += v * w2;
        c3 += v * w3;
      }
      y[at + o] = a0;
      y[at + o + 1] = a1;
      y[at + o + 2] = a2;
      y[at + o + 3] = a3;
      y[below + o] = c0;
      y[below + o + 1] = c1;
      y[below + o + 2] = c2;
      y[below + o + 3] = c3;
    }
    for (let o = whole; o < O; o++) {
      y[at + o] = dot(x, first, w, o * I, I);
      y[below + o] = dot(x, other, w, o * I, I);
    }
  }
  return y;
}

/**
 * @param {ArrayLike<number>} a
 * @param {number} from
 * @param {ArrayLike<number>} b
 * @param {number} at
 * @param {number} length
 */
export function dot(a, from, b, at, length) {
  let sum = 0;
  for (let i = 0; i < length; i++) sum += a[from + i] * b[at + i];
  return sum;
}

/**
 * Rows (N, D) less their mean, over their deviation, times gain, plus bias.
 * @param {Float32Array} x
 * @param {number} D
 * @param {{gain: Float32Array, bias: Float32Array}} norm
 * @param {number} eps
 */
export function layerNorm(x, D, { gain, bias }, eps) {
  const y = new Float32Array(x.length);
  for (let at = 0; at < x.length; at += D) {
    const { mean, deviation } = statistics(x, at, D, eps);
    for (let i = 0; i < D; i++) y[at + i] = ((x[at + i] - mean) / deviation) * gain[i] + bias[i];
  }
  return y;
}

/**
 * What a layer norm takes off a row, and what it divides by.
 * @param {Float32Array} x
 * @param {number} at
 * @param {number} D
 * @param {number} eps
 */
export function statistics(x, at, D, eps) {
  let [sum, squares] = [0, 0];
  for (let i = 0; i < D; i++) sum += x[at + i];
  const mean = sum / D;
  for (let i = 0; i < D; i++) squares += (x[at + i] - mean) ** 2;
  return { mean, deviation: Math.sqrt(squares / D + eps) };
}

const [REACH, STEPS] = [8, 2048]; // of the table of GELU: up to |x| = 8, so many steps to one
/** @type {Float64Array | null} */
let known = null;

/**
 * GELU, x Φ(x), in place: read from a table, on the straight line between two of its steps, which
 * is off by less than 3e-8.
 * @param {Float32Array} x
 */
export function gelu(x) {
  const table = (known ??= Float64Array.from({ length: 2 * REACH * STEPS + 2 }, (_, i) => {
    const z = i / STEPS - REACH;
    return (z * (1 + erf(z / Math.SQRT2))) / 2;
  }));
  for (let i = 0; i < x.length; i++) {
    const place = (x[i] + REACH) * STEPS;
    if (place <= 0) x[i] = 0;
    else if (place < 2 * REACH * STEPS) {
      const low = place | 0;
      x[i] = table[low] + (place - low) * (table[low + 1] - table[low]);
    }
  }
  return x;
}

/**
 * The error function: its series near zero, its continued fraction further out.
 * @param {number} x
 */
export function erf(x) {
  const size = Math.abs(x);
  if (size > 6) return Math.sign(x);
  if (size > 2.5) {
    let fraction = 0;
    for (let n = 60; n > 0; n--) fraction = n / 2 / (size + fraction);
    const rest = Math.exp(-x * x) / Math.sqrt(Math.PI) / (size + fraction);
    return Math.sign(x) * (1 - rest);
  }
  let [term, sum] = [x, x];
  for (let n = 1; n < 60; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

/**
 * Every row (., n) as shares of 1, in place.
 * @param {Float32Array} x
 * @param {number} n
 */
export function softmax(x, n) {
  for (let at = 0; at < x.length; at += n) {
    let top = -Infinity;
    for (let i = at; i < at + n; i++) if (x[i] > top) top = x[i];
    let sum = 0;
    for (let i = at; i < at + n; i++) sum += x[i] = Math.exp(x[i] - top);
    for (let i = at; i < at + n; i++) x[i] /= sum;
  }
  return x;
}

/**
 * Rows (N, D) of unit length; `besides` is added to the length, and a row of zeros stays.
 * @param {Float32Array} x
 * @param {number} D
 */
export function unit(x, D, besides = 0) {
  const y = new Float32Array(x.length);
  for (let at = 0; at < x.length; at += D) {
    const length = Math.max(norm(x, at, D) + besides, 1e-12);
    for (let i = at; i < at + D; i++) y[i] = x[i] / length;
  }
  return y;
}

/**
 * @param {Float32Array} x
 * @param {number} at
 * @param {number} D
 */
export function norm(x, at, D) {
  return Math.sqrt(dot(x, at, x, at, D));
}

/**
 * @param {Float32Array} x (N, D)
 * @param {number} D
 * @returns (D, N)
 */
export function transposed(x, D) {
  const N = x.length / D;
  const y = new Float32Array(x.length);
  for (let n = 0; n < N; n++) for (let i = 0; i < D; i++) y[i * N + n] = x[n * D + i];
  return y;
}

/**
 * @param {Float32Array} x
 * @param {Float32Array} y
 */
export function plus(x, y) {
  return x.map((value, i) => value + y[i]);
}
