import assert from "node:assert/strict";
import { test } from "node:test";
import { headStatus, headView, shownHead } from "../../clipxai/view/head_grid/viewer.js";
import { relevanceStatus } from "../../clipxai/view/word_ranking/viewer.js";
import { fileName, xml } from "../../clipxai/view/browser/snapshot.js";

// two layers of two heads, two texts, a grid of 1 × 2 patches
const HEADER = {
  texts: ["a", "b"],
  layers: 2,
  heads: 2,
  grids: [{ height: 1, width: 2 }],
  reaches: [
    { cells: 9, one: 4, all: 6 },
    { cells: 9, one: 16, all: 40 },
  ],
};
const ARRAYS = {
  heads: Float32Array.from({ length: 16 }, (_, i) => i + 1), // (layer, head, text, patch)
  from_class: Float32Array.of(0, 0.5, 0, 0.5, 0, 0.5, 0, 0.25), // (layer, head, text)
  cells: Float32Array.from({ length: 16 }, (_, i) => i / 8), // (text, head or bias or FFN, layer)
  similarity: Float32Array.of(0.25, 0.75),
};
const STATE = { hover: null, pinned: null, text: 1, at: 3, preview: null };

test("the map of a head is its own, and beside it that of all heads", () => {
  const { header, arrays } = headView(HEADER, ARRAYS, STATE);
  assert.deepEqual([...arrays.maps0], [15, 16, 3 + 7 + 11 + 15, 4 + 8 + 12 + 16]);
  assert.deepEqual(
    header.panels.map(({ text }) => text),
    ["layer 1, head 1", "all heads together"],
  );
  assert.deepEqual(
    header.scalings.map(({ scales }) => scales.map(({ high }) => high)),
    [
      [16, 40],
      [16, 40],
    ],
  );
  const { header: own } = headView(HEADER, ARRAYS, { ...STATE, text: 0, preview: 0 });
  assert.deepEqual(
    own.scalings.map(({ scales }) => scales.map(({ high }) => high)),
    [
      [4, 6],
      [2, 32],
    ],
  );
  assert.equal(own.panels[0].subtitle, "from patches 3");
});

test("the status says what a head brought, and from where", () => {
  assert.equal(shownHead({ ...STATE, preview: 0 }), 0);
  assert.equal(
    headStatus(HEADER, ARRAYS, STATE),
    "layer 1, head 1: +1.375 of the cosine 0.75, +1.125 from patches, +0.250 from [class]",
  );
  assert.equal(
    headStatus(HEADER, ARRAYS, { ...STATE, text: 0, at: 2, hover: { grid: 0, row: 0, column: 1 } }),
    "layer 1, head 0: 10 from row 0, column 1, of its +0.125",
  );
});

test("a word is told with its rank among the words, and its pieces", () => {
  const unit = (label, start, stop, word = true) => ({ label, start, stop, word });
  const header = {
    tokens: ["[start]", "o", "wl", "by", "[end]"],
    units: [
      unit("[start]", 0, 1, false),
      unit("owl", 1, 3),
      unit("by", 3, 4),
      unit("[end]", 4, 5, false),
    ],
  };
  const values = [0, 0.5, -0.25, 1];
  assert.equal(relevanceStatus(header, values, 1), "“owl”: 0.5, rank 1 of 2, the sum of o + wl");
  assert.equal(relevanceStatus(header, values, 2), "“by”: −0.25, rank 2 of 2");
  assert.equal(relevanceStatus(header, values, 3), "“[end]”: 1");
});

test("words become XML and file names that mean no harm", () => {
  assert.equal(xml('<b a="1">&'), "&lt;b a=&quot;1&quot;>&amp;");
  assert.equal(
    fileName("Where clip, clip_surgery see '../a cat' <b>?"),
    "where-clip-clip-surgery-see-a-cat-b",
  );
  assert.equal(fileName("Où est l’œuf 🥚"), "où-est-l-œuf");
  assert.equal(fileName("?!"), "figure");
});
