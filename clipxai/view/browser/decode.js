// How do the numbers of a payload become typed arrays again? The counterpart of payload.py, which
// describes the codings.
// @ts-check

const SCHEMA = 1;
const NAN_CODE = 65535;
/**
 * Steps of each companded coding.
 * @type {Record<string, number>}
 */
const SQUARE_ROOT = { u8sqrt: 255, sqrt63: 63, sqrt31: 31, sqrt23: 23, sqrt15: 15 };

/**
 * @typedef {"u8"|"f32"|"u16"|"u8sqrt"|"sqrt63"|"sqrt31"|"sqrt23"|"sqrt15"} Coding
 * @typedef {object} Entry  where an array lies in the blob, in bytes
 * @property {Coding} coding
 * @property {number[]} shape
 * @property {number} offset
 * @property {number} [scales]
 * @property {number} [above]
 */
/**
 * @typedef {object} Header  of every viewer; each has words and numbers of its own beside these
 * @property {number} schema
 * @property {boolean} [deflated]
 * @property {Record<string, Entry>} arrays
 * @property {string[]} dropped sentences about what was given up for a small page
 * @typedef {string | DataView | Uint8Array} Blobs  base64 in a saved page, a view of a message's
 *   buffer in a live widget
 * @typedef {{header: Header, blob: Blobs}} Payload
 * @typedef {Record<string, Uint8Array | Float32Array>} Arrays
 */

/**
 * Bytes of a blob. A view is copied, because its start need not be a multiple of four bytes.
 * @param {Blobs} blob
 */
export function bytesOf(blob) {
  if (typeof blob !== "string") {
    return new Uint8Array(blob.buffer, blob.byteOffset, blob.byteLength).slice();
  }
  const text = atob(blob);
  const bytes = new Uint8Array(text.length);
  // Uint8Array.from with a callback takes thirty times as long
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/**
 * All arrays of a payload, flat.
 * @param {Payload} payload
 */
export function unpack({ header, blob }) {
  if (header.schema !== SCHEMA) {
    throw new Error(`payload schema ${header.schema}, but this viewer reads ${SCHEMA}`);
  }
  if (header.deflated) throw new Error("this payload is deflated; read it with unpackLater");
  const bytes = bytesOf(blob);
  /** @type {Arrays} */
  const arrays = {};
  for (const [name, entry] of Object.entries(header.arrays)) arrays[name] = decode(entry, bytes);
  return arrays;
}

/**
 * All arrays of a payload, deflated or not; browsers inflate in the background.
 * @param {Payload} payload
 */
export async function unpackLater({ header, blob }) {
  if (!header.deflated) return unpack({ header, blob });
  const packed = new Blob([bytesOf(blob)]).stream();
  const inflated = packed.pipeThrough(new DecompressionStream("deflate"));
  const bytes = new Uint8Array(await new Response(inflated).arrayBuffer());
  return unpack({ header: { ...header, deflated: false }, blob: bytes });
}

/**
 * @param {Entry} entry
 * @param {Uint8Array<ArrayBuffer>} bytes
 */
export function decode(entry, bytes) {
  const { coding, shape, offset } = entry;
  const size = shape.reduce((product, n) => product * n, 1);
  if (coding === "u8") return bytes.subarray(offset, offset + size);
  if (coding === "f32") return new Float32Array(bytes.buffer, offset, size);
  const perRow = shape[shape.length - 1];
  const rows = perRow ? size / perRow : 0;
  if (coding === "u16") return linear(entry, bytes, perRow, rows);
  if (Object.hasOwn(SQUARE_ROOT, coding)) return squared(entry, bytes, perRow, rows);
  throw new Error(`unknown coding ${coding}`);
}

/**
 * Values between the lowest and highest of their row.
 * @param {Entry} entry
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @param {number} perRow
 * @param {number} rows
 */
function linear({ offset, scales }, bytes, perRow, rows) {
  const codes = new Uint16Array(bytes.buffer, offset, rows * perRow);
  const ends = new Float32Array(bytes.buffer, scales, 2 * rows);
  const values = new Float32Array(codes.length);
  for (let i = 0; i < codes.length; i++) {
    const row = Math.floor(i / perRow);
    const [low, span] = [ends[2 * row], ends[2 * row + 1]];
    values[i] = codes[i] === NAN_CODE ? NaN : low + (codes[i] / (NAN_CODE - 1)) * span;
  }
  return values;
}

/**
 * Values whose square roots were sent in steps of the highest of their row.
 * @param {Entry} entry
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @param {number} perRow
 * @param {number} rows
 */
function squared({ coding, offset, scales, above }, bytes, perRow, rows) {
  const steps = SQUARE_ROOT[coding];
  const tops = new Float32Array(bytes.buffer, scales, rows);
  const codes = bytes.slice(offset, offset + rows * perRow);
  if (above !== undefined) sumUp(codes, bytes.subarray(above, above + rows), perRow);
  const values = new Float32Array(codes.length);
  for (let i = 0; i < codes.length; i++) {
    values[i] = (codes[i] / steps) ** 2 * tops[Math.floor(i / perRow)];
  }
  return values;
}

/**
 * Rows that travelled as differences from a row so many rows above them, as they were.
 * @param {Uint8Array} codes
 * @param {Uint8Array} above
 * @param {number} perRow
 */
function sumUp(codes, above, perRow) {
  above.forEach((rowsUp, row) => {
    if (!rowsUp) return;
    const back = rowsUp * perRow;
    for (let i = row * perRow; i < (row + 1) * perRow; i++) codes[i] += codes[i - back];
  });
}
