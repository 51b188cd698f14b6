import assert from "node:assert/strict";
import { test } from "node:test";
import { extentOf } from "../../clipxai/view/module_comparison/lanes.js";
import {
  captionsOf,
  layerView,
  moduleStatus,
  partsOf,
  shownLayer,
} from "../../clipxai/view/module_comparison/viewer.js";
import { ratiosOf } from "../../clipxai/view/module_comparison/selection.js";
import { signed } from "../../clipxai/view/browser/number.js";

// two layers, two texts, a grid of 1 × 2 patches
const captions = {
  bars: "bars",
  alignment: "alignment",
  lens: "lens",
  maps: "maps",
  exact: "exact.",
};
const reach = { all: 4, layers: [1, 4], lens: 0.5, parts: [-4, 4] };
const HEADER = {
  texts: ["a", "b"],
  layers: 2,
  grids: [{ height: 1, width: 2 }],
  reaches: [reach, reach],
  captions,
  largest: "largest.",
  selections: [null, { caption: "selects.", chance: 0.25 }],
  kinds: ["q-k", "v-v"],
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
};
const STATE = { hover: null, pinned: null, text: 0, layer: 1, preview: null, scaling: 0 };

test("a layer's three maps share one scale with zero in the middle", () => {
  const { header, arrays } = layerView(HEADER, ARRAYS, STATE);
  assert.deepEqual([...arrays.maps0], [5, 6, 0, 1, 5, 5]);
  assert.deepEqual(
    new Set(header.scalings[0].scales.map(({ low, high }) => `${low} ${high}`)),
    new Set(["-4 4"]),
  );
  assert.deepEqual(
    layerView(HEADER, ARRAYS, { ...STATE, preview: 0 }).header.scalings[1].scales[2].high,
    1,
  );
  assert.deepEqual(
    header.panels.map(({ text }) => text),
    ["layer 1: attention", "layer 1: FFN", "attention − FFN"],
  );
  assert.deepEqual(
    header.panels.map(({ flat }) => flat),
    [false, false, true],
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
    "layer 1, row 0, column 0 (pinned, Esc unpins): attention +5.000, FFN +0.000 of this patch's cosine 9",
  );
  assert.equal(shownLayer({ ...STATE, preview: 0 }), 0);
});

test("selection ratios are those of the text, if its mask is known", () => {
  assert.deepEqual(ratiosOf(HEADER, ARRAYS, 0), []);
  assert.deepEqual(ratiosOf(HEADER, ARRAYS, 1), [
    [0.5, 0.25],
    [0.5, 1],
  ]);
  assert.match(
    moduleStatus(HEADER, ARRAYS, { ...STATE, text: 1 }),
    /; selection ratio q-k 0.25, v-v 1.00$/,
  );
  assert.deepEqual(
    [0, 1].map((text) => captionsOf(HEADER, { ...STATE, text }).includes("selects.")),
    [false, true],
  );
});

test("captions name the scale in force", () => {
  assert.match(captionsOf(HEADER, STATE)[3], /one scale for all layers, from −4 to 4/);
  assert.match(
    captionsOf(HEADER, { ...STATE, scaling: 1, preview: 0 })[3],
    /this layer's scale, from −1 to 1/,
  );
});

test("rows that share a scale share its ends, zero included", () => {
  const lanes = [
    { name: "a", bars: [null, 2], share: "x" },
    { name: "b", bars: [-1, NaN], marks: [3], share: "x" },
    { name: "c", lines: [{ values: [5, 7] }] },
  ];
  assert.deepEqual(extentOf(lanes, lanes[0]), [-1, 3]);
  assert.deepEqual(extentOf(lanes, lanes[2]), [0, 7]);
  assert.deepEqual(
    extentOf([{ name: "a", bars: [1], reach: [-2, 0.5] }], { name: "none" }),
    [0, 0],
  );
});

test("shares carry their sign", () => {
  assert.deepEqual(
    [signed(0.12349), signed(-0.5), signed(0), signed(NaN)],
    ["+0.123", "−0.500", "+0.000", "not a number"],
  );
});
