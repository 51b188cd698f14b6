import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { extentOf } from "../../clipxai/view/module_comparison/lanes.js";
import {
  lanesOf,
  mapsOf,
  partsOf,
  selectionLane,
  shownLayer,
} from "../../clipxai/view/module_comparison/parts.js";
import { captionsOf, moduleStatus } from "../../clipxai/view/module_comparison/viewer.js";

const golden = JSON.parse(readFileSync(new URL("golden.json", import.meta.url), "utf8"));
const scale = (high) => ({ low: -high, high, colours: "RdBu_r" });
// two layers, two texts, a grid of 1 × 2 patches
const scales = { all: scale(4), layers: [scale(1), scale(4)], lens: scale(0.5), parts: [-4, 4] };
const HEADER = {
  texts: ["a", "b"],
  layers: 2,
  grids: [{ height: 1, width: 2 }],
  scales: [scales, scales],
  closures: ["parts add up", "to the cosine"],
  captions: [
    [["shared"], ["own, from {low:number} to {high:number}"]],
    [["selects."], ["selects."]],
  ],
  selections: [
    null,
    { chance: 0.25, told: ["; ratio 0", "; ratio 1"], titles: ["layer 0", "layer 1"] },
  ],
  kinds: ["q-k", "v-v"],
  remarks: golden.words.remarks,
  outlines: [[], []],
  words: golden.words.module_comparison,
};
const f = (...values) => Float32Array.from(values);
const ARRAYS = {
  class_attention: f(0.5, 1, 0.25, 2),
  class_ffn: f(0, -1, 0.125, -2), // (layer, text)
  attention: f(1, 2, 3, 4, 5, 6, 7, 8),
  ffn: f(0, 1, 0, 1, 0, 1, 0, 1), // (layer, text, patch)
  embedding: f(0.125, 0.25, 0.5, 1, 2, 3),
  bias: f(0, 0, 0, 0, 0, 0),
  similarity: f(1, 9, 10.5, 1, 15, 16), // (text, token)
  cumulative: f(0.125, 0.625, 1, 1, 1, 1, 1, 1),
  attention_alignment: f(0.5, 0.75),
  ffn_alignment: f(0.25, -0.5),
  selection: f(NaN, NaN, NaN, NaN, 0.5, 0.25, 0.5, 1), // (text, kind, layer)
  means: f(1.5, 0.5, 1, 0, 0, 0, 5.5, 0.5, 5, 0, 0, 0), // (layer, text, map)
  remarks: Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0), // (layer, text, map)
};
const STATE = { hover: null, pinned: null, text: 0, layer: 1, preview: null, scaling: 0 };

test("a layer's three maps share one scale with zero in the middle", () => {
  const maps = mapsOf(HEADER, ARRAYS, STATE);
  assert.deepEqual(
    maps.map(({ values }) => [...values]),
    [
      [5, 6],
      [0, 1],
      [5, 5],
    ],
  );
  assert.deepEqual(
    maps.map(({ scales: [shared, own] }) => [shared, own]),
    Array(3).fill([scale(4), scale(4)]),
  );
  assert.equal(mapsOf(HEADER, ARRAYS, { ...STATE, preview: 0 })[2].scales[1].high, 1);
  assert.deepEqual(
    maps.map(({ title }) => title),
    ["layer 1: attention", "layer 1: FFN", "attention − FFN"],
  );
  assert.deepEqual(
    maps.map(({ subtitle }) => subtitle),
    ["mean 5.5", "mean 0.5", "mean 5"],
  );
  assert.deepEqual(
    maps.map(({ remark }) => remark),
    ["", "", "no variation"],
  );
});

test("parts are the class token's, and the focused patch's beside them", () => {
  const none = partsOf(HEADER, ARRAYS, { ...STATE, text: 1 });
  assert.deepEqual(
    [none.attention, none.ffn, none.embedding, none.similarity, none.patch],
    [[1, 2], [-1, -2], 1, 1, null],
  );
  const { patch } = partsOf(HEADER, ARRAYS, { ...STATE, hover: { grid: 0, row: 0, column: 1 } });
  assert.deepEqual(patch, {
    attention: [2, 6],
    ffn: [1, 1],
    embedding: 0.5,
    bias: 0,
    similarity: 10.5,
  });
  assert.equal(patch.embedding + patch.bias + 2 + 6 + 1 + 1, patch.similarity);
});

test("the status says what the shown layer added", () => {
  assert.equal(
    moduleStatus(HEADER, ARRAYS, STATE),
    "layer 1, class token: attention +0.250, FFN +0.125; sum so far 1; alignment 0.75 and −0.5",
  );
  assert.equal(
    moduleStatus(HEADER, ARRAYS, { ...STATE, pinned: { grid: 0, row: 0, column: 0 } }),
    "layer 1, row 0, column 0 (pinned, Esc unpins): " +
      "attention adds +5.000, FFN +0.000 to this patch's cosine 9",
  );
  assert.equal(shownLayer({ ...STATE, preview: 0 }), 0);
});

test("selection ratios are those of the text, if its mask is known", () => {
  assert.deepEqual(selectionLane(HEADER, ARRAYS, 0), []);
  const [lane] = selectionLane(HEADER, ARRAYS, 1);
  assert.deepEqual(
    lane.lines.map(({ name, values }) => [name, values]),
    [
      ["q-k", [null, 0.5, 0.25, null]],
      ["v-v", [null, 0.5, 1, null]],
    ],
  );
  assert.deepEqual(lane.titles, [null, "layer 0", "layer 1", null]);
  assert.equal(lane.level, 0.25);
  assert.match(moduleStatus(HEADER, ARRAYS, { ...STATE, text: 1 }), /; ratio 1$/);
});

test("lanes are named in Python's words, and tell of the patch in view", () => {
  const names = lanesOf(HEADER, ARRAYS, { ...STATE, text: 1 }).map(({ name }) => name);
  assert.deepEqual(names, [
    "attention adds",
    "FFN adds",
    "embedding, bias",
    "sum so far",
    "alignment",
    "selection ratio",
  ]);
  const text = (state) => lanesOf(HEADER, ARRAYS, state)[2].text;
  assert.equal(text(STATE), "parts add up");
  assert.equal(
    text({ ...STATE, hover: { grid: 0, row: 0, column: 1 } }),
    "marks: row 0, column 1, whose cosine is 10.5",
  );
});

test("captions name the scale in force", () => {
  assert.deepEqual(captionsOf(HEADER, STATE), ["shared"]);
  assert.deepEqual(captionsOf(HEADER, { ...STATE, scaling: 1, preview: 0 }), ["own, from −1 to 1"]);
});

test("rows that share a scale share its ends, zero included", () => {
  const lanes = [
    { name: "a", bars: [null, 2], share: "x" },
    { name: "b", bars: [-1, NaN], marks: [3], share: "x" },
    { name: "c", lines: [{ values: [5, 7] }] },
  ];
  assert.deepEqual(extentOf(lanes, lanes[0]), [-1, 3]);
  assert.deepEqual(extentOf(lanes, lanes[2]), [0, 7]);
  const own = { name: "ends", bars: [0.1], share: lanes[0].share };
  assert.deepEqual(extentOf([...lanes, own], own), [-1, 3], "a share has one scale, drawn or not");
  assert.deepEqual(
    extentOf([{ name: "a", bars: [1], reach: [-2, 0.5] }], { name: "none" }),
    [0, 0],
  );
});
