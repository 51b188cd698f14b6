// How do the numbers of a payload become typed arrays again? The counterpart of payload.py, which describes the codings.
// @ts-check

const SCHEMA = 1;
const NAN_CODE = 65535;
/** @type {Record<string, number>} */
const SQUARE_ROOT = { u8sqrt: 255, sqrt63: 63, sqrt31: 31, sqrt23: 23, sqrt15: 15 }; // steps of each companded coding

/**
 * @typedef {"u8"|"f32"|"u16"|"u8sqrt"|"sqrt63"|"sqrt31"|"sqrt23"|"sqrt15"} Coding
 * @typedef {{coding: Coding, shape: number[], offset: number, scales: number, above?: number}} Entry
 * @typedef {{header: any, blob: string | DataView | Uint8Array}} Payload
 */

/**
 * Bytes of a blob: base64 text in a saved page, a view of a message buffer in a live widget.
 * A view is copied, because its start need not be a multiple of four bytes.
 * @param {string | DataView | Uint8Array} blob
 * @returns {Uint8Array}
 */
export function bytesOf(blob) {
  if (typeof blob !== "string")
    return new Uint8Array(blob.buffer, blob.byteOffset, blob.byteLength).slice();
  const text = atob(blob);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i); // Uint8Array.from with a callback takes thirty times as long
  return bytes;
}

/**
 * All arrays of a payload, flat.
 * @param {Payload} payload
 * @returns {Record<string, Uint8Array | Float32Array>}
 */
export function unpack(payload) {
  if (payload.header.schema !== SCHEMA)
    throw new Error(`payload schema ${payload.header.schema}, but this viewer reads ${SCHEMA}`);
  if (payload.header.deflated)
    throw new Error("this payload is deflated; read it with unpackLater");
  const bytes = bytesOf(payload.blob);
  /** @type {Record<string, Uint8Array | Float32Array>} */
  const arrays = {};
  for (const [name, entry] of Object.entries(payload.header.arrays))
    arrays[name] = decode(/** @type {Entry} */ (entry), bytes);
  return arrays;
}

/**
 * All arrays of a payload, deflated or not; browsers inflate in the background.
 * @param {Payload} payload
 * @returns {Promise<Record<string, Uint8Array | Float32Array>>}
 */
export async function unpackLater(payload) {
  const { header } = payload;
  if (!header.deflated) return unpack(payload);
  const inflated = new Blob([/** @type {BlobPart} */ (bytesOf(payload.blob))])
    .stream()
    .pipeThrough(new DecompressionStream("deflate"));
  const blob = new Uint8Array(await new Response(inflated).arrayBuffer());
  return unpack({ header: { ...header, deflated: false }, blob });
}

/**
 * @param {Entry} entry
 * @param {Uint8Array} bytes
 * @returns {Uint8Array | Float32Array}
 */
export function decode(entry, bytes) {
  const size = entry.shape.reduce((product, n) => product * n, 1);
  if (entry.coding === "u8") return bytes.subarray(entry.offset, entry.offset + size);
  if (entry.coding === "f32") return new Float32Array(bytes.buffer, entry.offset, size);
  const perRow = entry.shape[entry.shape.length - 1];
  const rows = perRow ? size / perRow : 0;
  const values = new Float32Array(size);
  if (entry.coding === "u16") {
    const codes = new Uint16Array(bytes.buffer, entry.offset, size);
    const scales = new Float32Array(bytes.buffer, entry.scales, 2 * rows);
    for (let i = 0; i < size; i++) {
      const row = Math.floor(i / perRow);
      values[i] =
        codes[i] === NAN_CODE
          ? NaN
          : scales[2 * row] + (codes[i] / (NAN_CODE - 1)) * scales[2 * row + 1];
    }
  } else if (Object.hasOwn(SQUARE_ROOT, entry.coding)) {
    const steps = SQUARE_ROOT[entry.coding];
    const scales = new Float32Array(bytes.buffer, entry.scales, rows);
    const codes =
      entry.above === undefined
        ? bytes.subarray(entry.offset, entry.offset + size)
        : summed(entry, bytes, perRow, rows);
    for (let i = 0; i < size; i++)
      values[i] = (codes[i] / steps) ** 2 * scales[Math.floor(i / perRow)];
  } else {
    throw new Error(`unknown coding ${entry.coding}`);
  }
  return values;
}

/**
 * Rows that travelled as differences from a row above them, as they were.
 * @param {Entry} entry @param {Uint8Array} bytes @param {number} perRow @param {number} rows
 */
function summed(entry, bytes, perRow, rows) {
  const codes = bytes.slice(entry.offset, entry.offset + rows * perRow);
  for (let row = 0; row < rows; row++) {
    const above = bytes[/** @type {number} */ (entry.above) + row];
    if (!above) continue;
    const back = above * perRow;
    for (let i = row * perRow; i < (row + 1) * perRow; i++) codes[i] += codes[i - back];
  }
  return codes;
}
