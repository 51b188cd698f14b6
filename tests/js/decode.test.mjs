import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { bytesOf, unpack } from "../../clipxai/view/browser/decode.js";

const golden = JSON.parse(readFileSync(new URL("golden.json", import.meta.url), "utf8"));
const plain = (values) => Array.from(values, (value) => (Number.isNaN(value) ? null : value));

test("arrays come out as Python says", () => {
  const arrays = unpack(golden.payload);
  assert.deepEqual(Object.keys(arrays), Object.keys(golden.unpacked));
  for (const [name, expected] of Object.entries(golden.unpacked)) {
    plain(arrays[name]).forEach((value, i) => {
      if (expected[i] === null) assert.equal(value, null, `${name}[${i}]`);
      else
        assert.ok(
          Math.abs(value - expected[i]) < 1e-6,
          `${name}[${i}]: ${value}, not ${expected[i]}`,
        );
    });
  }
});

test("a view into a larger message buffer gives the same bytes as base64", () => {
  const bytes = bytesOf(golden.payload.blob);
  const message = new Uint8Array(bytes.length + 5);
  message.set(bytes, 3); // not a multiple of four
  const view = new DataView(message.buffer, 3, bytes.length);
  assert.deepEqual(bytesOf(view), bytes);
  assert.deepEqual(
    plain(unpack({ ...golden.payload, blob: view }).maps),
    plain(unpack(golden.payload).maps),
  );
});

test("a payload of another schema or coding is refused", () => {
  assert.throws(
    () => unpack({ ...golden.payload, header: { ...golden.payload.header, schema: 2 } }),
    /schema 2/,
  );
  const entry = { ...golden.payload.header.arrays.maps, coding: "i4" };
  assert.throws(
    () => unpack({ ...golden.payload, header: { ...golden.payload.header, arrays: { entry } } }),
    /unknown coding i4/,
  );
});
