import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { farthest, messageOf, strongest } from "../../clipxai/view/head_grid/messenger.js";
import { headStatus, mapsOf, shownHead } from "../../clipxai/view/head_grid/viewer.js";

const golden = JSON.parse(readFileSync(new URL("golden.json", import.meta.url), "utf8"));
const scale = (high) => ({ low: -high, high, colours: "RdBu_r" });
// two layers of two heads, two texts, a grid of 1 × 2 patches
const HEADER = {
  texts: ["a", "b"],
  layers: 2,
  heads: 2,
  grids: [{ height: 1, width: 2 }],
  scales: [
    { cells: scale(9), one: scale(4), all: scale(6) },
    { cells: scale(9), one: scale(16), all: scale(40) },
  ],
  remarks: golden.words.remarks,
  outlines: [[], []],
  words: golden.words.head_grid,
};
const ARRAYS = {
  heads: Float32Array.from({ length: 16 }, (_, i) => i + 1), // (layer, head, text, patch)
  from_patches: Float32Array.from({ length: 8 }, (_, i) => 4 * i + 3), // (layer, head, text)
  all_from_patches: Float32Array.of(60, 76), // (text)
  from_class: Float32Array.of(0, 0.5, 0, 0.5, 0, 0.5, 0, 0.25), // (layer, head, text)
  cells: Float32Array.from({ length: 16 }, (_, i) => i / 8), // (text, head or bias or FFN, layer)
  similarity: Float32Array.of(0.25, 0.75),
  remarks: Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 1, 2), // (text, head or all of them)
};
const STATE = { hover: null, pinned: null, text: 1, at: 3, preview: null };
const highs = (maps) => maps.map(({ scales }) => scales.map(({ high }) => high));

test("the map of a head is its own, and beside it that of all heads", () => {
  const maps = mapsOf(HEADER, ARRAYS, STATE);
  assert.deepEqual([...maps[0].values], [15, 16]);
  assert.deepEqual([...maps[1].values], [3 + 7 + 11 + 15, 4 + 8 + 12 + 16]);
  assert.deepEqual(
    maps.map(({ title, subtitle }) => `${title}: ${subtitle}`),
    ["layer 1, head 1: from patches 31", "all heads together: from patches 76"],
  );
  assert.deepEqual(highs(maps), [
    [16, 16],
    [40, 40],
  ]);
  const other = mapsOf(HEADER, ARRAYS, { ...STATE, text: 0, preview: 0 });
  assert.deepEqual(highs(other), [
    [4, 2],
    [6, 32],
  ]);
  assert.equal(other[0].subtitle, "from patches 3");
});

test("a map that has nothing to show says why", () => {
  const remarks = mapsOf(HEADER, ARRAYS, STATE).map(({ remark }) => remark);
  assert.deepEqual(remarks, ["no variation", "no finite value"]);
  assert.equal(mapsOf(HEADER, ARRAYS, { ...STATE, text: 0 })[0].remark, "");
});

test("the status says what a head brought, and from where", () => {
  assert.equal(shownHead({ ...STATE, preview: 0 }), 0);
  const exact = { ...ARRAYS, from_patches: Float32Array.of(0, 0, 0, 0, 0, 0, 0, 1.125) };
  assert.equal(
    headStatus(HEADER, exact, STATE),
    "layer 1, head 1: adds +1.375 to the cosine 0.75, +1.125 from patches, +0.250 from [class]",
  );
  const cell = { grid: 0, row: 0, column: 1 };
  const other = { ...STATE, text: 0, at: 2 };
  assert.equal(
    headStatus(HEADER, ARRAYS, { ...other, hover: cell }),
    "layer 1, head 0: 10 from row 0, column 1, of its +0.125",
  );
  assert.equal(
    headStatus(HEADER, ARRAYS, { ...other, pinned: cell }),
    "layer 1, head 0: 10 from row 0, column 1 (pinned, Esc unpins), of its +0.125",
  );
});

const TOLD = {
  ...HEADER,
  scales: HEADER.scales.map((of) => ({ ...of, written: scale(5) })),
  messages: ["{text}: {head} of {layer}, {on_it:signed}, {inside:signed}", "{text}: {mean:signed}"],
  gathers: "[class]",
};
const WRITTEN = {
  ...ARRAYS,
  written: Float32Array.of(1, 2, 3, 4, -1, -2, -3, 4), // (layer, text, patch)
  remarks_written: Uint8Array.of(0, 1, 0, 0), // (text, layer)
  fetched_on: Float32Array.of(0.125, 0.25, 0.375, 0.5, NaN, NaN, NaN, NaN), // (text, layer, head)
  written_on: Float32Array.of(1, 2, 1.5, -1, -2, -1.5, NaN, NaN, 3.5, NaN, NaN, 0.5),
};

test("a messenger's other map is what its layer wrote", () => {
  const [own, beside] = mapsOf(TOLD, WRITTEN, { ...STATE, text: 0, at: 2, messenger: true });
  assert.deepEqual([...own.values], [9, 10]);
  assert.deepEqual([...beside.values], [-1, -2]);
  assert.deepEqual(highs([beside]), [[5, 2]]);
  assert.equal(
    `${beside.title}: ${beside.subtitle}`,
    "written by layer 1: on it −1.000, off −2.000",
  );
  const [, other] = mapsOf(TOLD, WRITTEN, { ...STATE, text: 1, at: 0, messenger: true });
  assert.deepEqual([other.subtitle, other.remark], ["mean over patches 3.5", ""]);
  const [, early] = mapsOf(TOLD, WRITTEN, { ...STATE, text: 0, at: 3, messenger: true });
  assert.equal(early.remark, "no variation");
});

test("a messenger's sentence is of the head that was chosen", () => {
  const state = { ...STATE, text: 0, at: 3, preview: 0 };
  assert.equal(messageOf(TOLD, WRITTEN, state), "a: 1 of 1, +0.500, −1.000");
  assert.equal(messageOf(TOLD, WRITTEN, { ...state, text: 1, at: 1 }), "b: +3.500");
  const cell = { grid: 0, row: 0, column: 1 };
  const told = headStatus(TOLD, WRITTEN, { ...state, preview: null, messenger: true, hover: cell });
  assert.ok(told.endsWith("; layer 1 wrote −2 into it"));
});

test("arrows come from the strongest patches and end far from them", () => {
  const values = Float32Array.of(0, -3, NaN, 2, 1, 0, 3, ...Array(8).fill(0.5));
  assert.deepEqual(strongest(values), [1, 6, 3, 4, 7, 8, 9, 10]);
  assert.deepEqual(strongest(Float32Array.of(0, NaN)), []);
  assert.deepEqual(farthest([{ x: 0.9, y: 0.1 }]), { x: 0, y: 1 });
  assert.deepEqual(
    farthest([
      { x: 0.1, y: 0.9 },
      { x: 0.2, y: 0.2 },
    ]),
    { x: 1, y: 1 },
  );
});
