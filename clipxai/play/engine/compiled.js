// How fast can a matrix product be without a library? Four numbers at a time, in WebAssembly, whose
// bytes are put together here: plain JavaScript took 0.5 s for one look at a picture. Where a
// browser has no such instructions, `fast` is null and `product` of kernels.js does the work.
// @ts-check

// numbers of the function's parameters, then of its own variables
const [X, ROWS, STRIDE, W, COLUMNS, Y, N, O, I, A, B] = Array(11).keys();
const COLUMN = 11; // four pointers into W
const U = 15; // a vector of each of two rows of X
const SUMS = 17; // eight vectors: two rows, four columns
const LANES = 4;

/**
 * A number as WebAssembly writes it: seven bits a byte.
 * @param {number} value at least 0
 * @returns {number[]}
 */
const leb = (value) => (value < 128 ? [value] : [(value & 127) | 128, ...leb(value >>> 7)]);
const constant = (/** @type {number} */ value) => [0x41, ...signedLeb(value)];
const get = (/** @type {number} */ name) => [0x20, name];
const set = (/** @type {number} */ name) => [0x21, name];
const ADD = [0x6a];
const MULTIPLY = [0x6c];
const BELOW = [0x49]; // unsigned
const load = (/** @type {number} */ offset) => [0xfd, 0, 4, ...leb(offset)];
const store = (/** @type {number} */ offset) => [0x38, 2, ...leb(offset)];
const lane = (/** @type {number} */ n) => [0xfd, 0x1f, n];
const VECTOR_ADD = [0xfd, 0xe4, 1];
const VECTOR_MULTIPLY = [0xfd, 0xe6, 1];
const NUMBER_ADD = [0x92];
const ZEROS = [0xfd, 0x0c, ...Array(16).fill(0)];

/**
 * @param {number} value
 * @returns {number[]}
 */
function signedLeb(value) {
  const [low, rest] = [value & 127, value >> 7];
  const done = (rest === 0 && !(low & 64)) || (rest === -1 && low & 64);
  return done ? [low] : [low | 128, ...signedLeb(rest)];
}

/**
 * variable += what is on the stack's way.
 * @param {number} name
 * @param {number[]} by
 */
const raise = (name, by) => [...get(name), ...by, ...ADD, ...set(name)];

/**
 * Run `body` while the variable, counted up by `step`, is below the limit; at least once.
 * @param {number} name
 * @param {number} step
 * @param {number[]} limit
 * @param {number[]} body
 */
const loop = (name, step, limit, body) => [
  ...[...constant(0), ...set(name), 0x03, 0x40],
  ...body,
  ...[...raise(name, constant(step)), ...get(name), ...limit, ...BELOW, 0x0d, 0, 0x0b],
];

const columns = [0, 1, 2, 3];
const sums = [0, 1, 2, 3, 4, 5, 6, 7];

/** Two vectors of each of two rows and four columns: multiplied, and added to the sums. */
const inside = [0, 16].flatMap((offset) => [
  ...[A, B].flatMap((row, n) => [...get(row), ...load(offset), ...set(U + n)]),
  ...columns.flatMap((c) => {
    // the column is read once: it waits in the last variable
    const [column, waiting] = [COLUMN + c, SUMS + 8];
    const read = [...get(column), ...load(offset), ...set(waiting)];
    const add = [0, 1].flatMap((n) => {
      const sum = SUMS + 4 * n + c;
      const product = [...get(U + n), ...get(waiting), ...VECTOR_MULTIPLY];
      return [...get(sum), ...product, ...VECTOR_ADD, ...set(sum)];
    });
    return [...read, ...add];
  }),
]);

/** Eight sums of four lanes each, to two rows of Y, whose place is in A and B by now. */
const finish = sums.flatMap((s) => {
  const lanes = [0, 1, 2, 3].flatMap((n) => [...get(SUMS + s), ...lane(n)]);
  return [
    ...get(s < 4 ? A : B),
    ...lanes,
    ...Array(3).fill(NUMBER_ADD).flat(),
    ...store(4 * (s % 4)),
  ];
});

/** Where a row begins: start + number * bytes. */
const row = (
  /** @type {number[]} */ start,
  /** @type {number[]} */ n,
  /** @type {number[]} */ bytes,
) => [...start, ...n, ...bytes, ...MULTIPLY, ...ADD];
const [bytesOfX, bytesOfY] = [STRIDE, COLUMNS].map((name) => [
  ...get(name),
  ...constant(LANES),
  ...MULTIPLY,
]);

const body = loop(
  N,
  2,
  get(ROWS),
  loop(O, 4, get(COLUMNS), [
    ...row(get(X), get(N), bytesOfX),
    ...set(A),
    ...[...get(A), ...bytesOfX, ...ADD, ...set(B)],
    ...columns.flatMap((c) => [
      ...row(get(W), [...get(O), ...constant(c), ...ADD], bytesOfX),
      ...set(COLUMN + c),
    ]),
    ...sums.flatMap((s) => [...ZEROS, ...set(SUMS + s)]),
    ...loop(I, 8, get(STRIDE), [
      ...inside,
      ...[A, B, ...columns.map((c) => COLUMN + c)].flatMap((name) => raise(name, constant(32))),
    ]),
    ...row(get(Y), get(N), bytesOfY),
    ...[...get(O), ...constant(4), ...MULTIPLY, ...ADD, ...set(A)],
    ...[...get(A), ...bytesOfY, ...ADD, ...set(B)],
    ...finish,
  ]),
);

/** The whole module: one function of six whole numbers, and the memory that it works in. */
function moduleBytes() {
  const section = (/** @type {number} */ id, /** @type {number[]} */ bytes) => [
    id,
    ...leb(bytes.length),
    ...bytes,
  ];
  const name = (/** @type {string} */ text) => [text.length, ...new TextEncoder().encode(text)];
  // nine more whole numbers; eleven vectors
  const code = [2, SUMS - 2 - Y - 1, 0x7f, 11, 0x7b, ...body, 0x0b];
  return Uint8Array.of(
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 6, ...Array(6).fill(0x7f), 0]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0, 1]),
    ...section(7, [2, ...name("memory"), 2, 0, ...name("product"), 0, 0]),
    ...section(10, [1, ...leb(code.length), ...code]),
  );
}

/**
 * @callback Product  places in memory, in bytes; rows even, numbers of a row a multiple of 8,
 *   columns one of 4
 * @param {number} x
 * @param {number} rows
 * @param {number} stride
 * @param {number} w
 * @param {number} columns
 * @param {number} y
 * @returns {void}
 *
 * @callback Fast  x (N, I) times w (O, I), row by row: (N, O)
 * @param {Float32Array} x
 * @param {number} N
 * @param {number} I
 * @param {Float32Array} w
 * @param {number} O
 * @returns {Float32Array}
 */

/** @returns {Fast | null} */
function compiled() {
  /** @type {WebAssembly.Exports} */
  let made;
  try {
    made = new WebAssembly.Instance(new WebAssembly.Module(moduleBytes())).exports;
  } catch {
    return null; // no WebAssembly here, or none with vectors
  }
  const memory = /** @type {WebAssembly.Memory} */ (made.memory);
  const product = /** @type {Product} */ (made.product);
  const to = (/** @type {number} */ n, /** @type {number} */ multiple) =>
    Math.ceil(n / multiple) * multiple;
  return (x, N, I, w, O) => {
    const [rows, stride, wide] = [to(N, 2), to(I, 8), to(O, 4)];
    const [atW, atY] = [rows * stride, (rows + wide) * stride];
    const missing = (atY + rows * wide) * 4 - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / 65536));
    const numbers = new Float32Array(memory.buffer);
    fill(numbers, 0, x, N, I, stride);
    fill(numbers, atW, w, O, I, stride);
    product(0, rows, stride, 4 * atW, wide, 4 * atY);
    if (wide === O) return numbers.slice(atY, atY + N * O);
    const y = new Float32Array(N * O);
    for (let n = 0; n < N; n++) {
      y.set(numbers.subarray(atY + n * wide, atY + n * wide + O), n * O);
    }
    return y;
  };
}

/**
 * A matrix into memory, its rows filled up with zeros.
 * @param {Float32Array} numbers
 * @param {number} at
 * @param {Float32Array} matrix
 * @param {number} rows
 * @param {number} length
 * @param {number} stride
 */
function fill(numbers, at, matrix, rows, length, stride) {
  if (stride === length) {
    numbers.set(matrix.subarray(0, rows * length), at);
    return;
  }
  for (let n = 0; n < rows; n++) {
    const start = at + n * stride;
    numbers.set(matrix.subarray(n * length, (n + 1) * length), start);
    numbers.fill(0, start + length, start + stride);
  }
}

export const fast = compiled();
