import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { coloured, regionStatus } from "../../clipxai/view/region_map/viewer.js";

const golden = JSON.parse(readFileSync(new URL("golden.json", import.meta.url), "utf8"));
const HEADER = {
  grids: [{ height: 1, width: 3 }],
  panels: [{}, {}],
  classes: [
    { name: "background", colour: null },
    { name: "dog", colour: [10, 20, 30] },
    { name: "cat", colour: [40, 50, 60] },
  ],
  opacities: { faint: 30, shown: 153, dark: 180 },
  unseen: 255,
  words: golden.words.region_map,
};
const pixel = (pixels, n) => [...pixels.slice(4 * n, 4 * n + 4)];

test("classes have their colours, the background none, and what was not seen is dark", () => {
  const pixels = coloured([0, 1, 2, 255], HEADER, null);
  assert.deepEqual(
    [0, 1, 2, 3].map((n) => pixel(pixels, n)),
    [
      [0, 0, 0, 0],
      [10, 20, 30, 153],
      [40, 50, 60, 153],
      [0, 0, 0, 180],
    ],
  );
});

test("a chosen class leaves the others faint", () => {
  const pixels = coloured([1, 2], HEADER, 2);
  assert.deepEqual([pixel(pixels, 0)[3], pixel(pixels, 1)[3]], [30, 153]);
});

test("a pixel says what it got, how surely, and what it is", () => {
  const arrays = {
    labels: Uint8Array.from([1, 255, 0, 2, 1, 255]),
    confidence: Uint8Array.from([204, 0, 51]),
  };
  const at = (column) => regionStatus(HEADER, arrays, { grid: 0, row: 0, column });
  assert.equal(at(0), "dog; best height 0.8; in truth cat");
  assert.equal(at(1), "not seen by the model");
  assert.equal(at(2), "background; best height 0.2");
  const alone = { ...HEADER, panels: [{}] };
  const first = { grid: 0, row: 0, column: 0 };
  assert.equal(regionStatus(alone, arrays, first), "dog; best height 0.8");
  assert.equal(regionStatus(HEADER, arrays, null), "\u00a0");
});
