import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { deflateSync } from "node:zlib";
import { bytesOf, unpack, unpackLater } from "../../clipxai/view/browser/decode.js";

const golden = JSON.parse(readFileSync(new URL("golden.json", import.meta.url), "utf8"));
const near = (a, b) => assert.ok(Math.abs(a - b) < 1e-6, `${a}, not ${b}`);
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

test("a deflated payload comes out as the plain one, and is not read by mistake", async () => {
  const small = {
    header: { ...golden.payload.header, deflated: true },
    blob: deflateSync(bytesOf(golden.payload.blob)).toString("base64"),
  };
  assert.deepEqual(await unpackLater(small), unpack(golden.payload));
  assert.deepEqual(await unpackLater(golden.payload), unpack(golden.payload));
  assert.throws(() => unpack(small), /deflated/);
  await assert.rejects(unpackLater({ ...small, blob: "AAAA" }));
});

test("rows that Python wrote as differences are summed again", async () => {
  const { alike } = await unpackLater(golden.deflated.payload);
  assert.equal(alike.length, 80);
  golden.deflated.alike.forEach((value, i) => near(alike[i], value));
});

test("coarse square roots are undone", () => {
  const entry = { coding: "sqrt23", shape: [1, 3], offset: 0, scales: 4 };
  const blob = new Uint8Array(8);
  blob.set([0, 23, 10]);
  new DataView(blob.buffer).setFloat32(4, 0.5, true);
  const { x } = unpack({ header: { schema: 1, arrays: { x: entry } }, blob });
  [0, 0.5, (10 / 23) ** 2 / 2].forEach((value, i) => near(x[i], value));
});
