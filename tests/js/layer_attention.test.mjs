import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { linearIndex, paintCells, rootIndex } from "../../clipxai/view/browser/film.js";
import {
  captionOf,
  missingHeads,
  nameOf,
  placeOf,
  readingOf,
  spoken,
  storyOf,
  tableOf,
  written,
} from "../../clipxai/view/layer_attention/lines.js";
import { chosenOf, sightOf } from "../../clipxai/view/layer_attention/viewer.js";
import {
  cellOf,
  CLASS,
  createWeights,
  hiddenOf,
  inAllLayers,
  meanDistance,
  roundingError,
  strongest,
  tokenOf,
  topOf,
} from "../../clipxai/view/layer_attention/weights.js";

const GRID = { height: 2, width: 3, box: [0, 0, 20, 30], image_size: [20, 30] };
const golden = JSON.parse(readFileSync(new URL("golden.json", import.meta.url), "utf8"));
const { layer_attention: WORDS, layer_attention_pool: OF_POOL } = golden.words;
const near = (a, b, message) =>
  assert.ok(Math.abs(a - b) < 1e-6, `${message ?? ""} ${a}, not ${b}`);

test("tokens and cells name one another; the class token is outside the grid", () => {
  for (let token = 0; token < 7; token++) assert.equal(tokenOf(cellOf(token, GRID), GRID), token);
  assert.equal(cellOf(0, GRID), CLASS);
  const header = { grids: [GRID], words: WORDS, on: [] };
  assert.equal(nameOf(header, 5), "row 1, column 1");
  assert.equal(nameOf(header, 0), "[class]");
  const known = { ...header, on: ["", "", "", "", "cat", ""] };
  assert.deepEqual(
    [nameOf(known, 5), nameOf(known, 4), nameOf(known, 0), placeOf(known, 5)],
    ["row 1, column 1 (cat)", "row 1, column 0", "[class]", "row 1, column 1"],
  );
});

/** Two layers, one head, 7 tokens; what travels beside is put back. */
function example() {
  const header = {
    grids: [GRID],
    tokens: 7,
    whole: "[class]",
    beside: "[class]",
    heads: 1,
    layers: [0, 1],
    columns: [0, 3],
    headed: [1],
    sinks: [3],
    on: [],
    steps: 10,
    kinds: [{ name: "qk", label: "q-k" }],
    notes: ["note"],
    dropped: ["dropped"],
    query: 4,
    table: { head: ["rank", "token"], rows: 3 },
    words: WORDS,
  };
  const mean = Float32Array.from({ length: 2 * 49 }, (_, i) => (i % 7) / 100);
  const arrays = {
    mean_qk: mean,
    own_qk: Float32Array.from({ length: 14 }, (_, i) => 0.5 + i / 100),
    columns_qk: Float32Array.from({ length: 28 }, (_, i) => 0.7 + i / 1000),
    class_qk: Float32Array.from({ length: 14 }, (_, i) => (i % 7) / 50),
    class_columns_qk: Float32Array.of(0.9, 0.8, 0.6, 0.4),
    heads_qk: Float32Array.from({ length: 49 }, (_, i) => (i % 7) / 25),
    heads_own_qk: Float32Array.from({ length: 7 }, (_, i) => i / 8),
    heads_columns_qk: Float32Array.from({ length: 14 }, (_, i) => 0.3 + i / 1000),
  };
  return { header, weights: createWeights(header, arrays) };
}

test("the query itself, class token and sinks are put back, the others know their error", () => {
  const { weights } = example();
  const row = weights.row("qk", 1, 4, null);
  near(row[4], 0.5 + 11 / 100, "itself");
  near(row[0], 0.7 + (1 * 2 * 7 + 4) / 1000, "class");
  near(row[3], 0.7 + (1 * 2 * 7 + 7 + 4) / 1000, "sink");
  near(row[6], 0.06);
  for (const token of [0, 3, 4]) near(weights.error("qk", 1, 4, null, token), 1 / 131068);
  near(weights.error("qk", 1, 4, null, 6), 0.06 / 10 + 0.06 / 400);
  assert.deepEqual(
    [...weights.row("qk", 1, 0, 0)].map((v) => Number(v.toFixed(3))),
    [0.6, 0.02, 0.04, 0.4, 0.08, 0.1, 0.12],
  );
});

test("hidden tokens leave the scale, not the row", () => {
  const { header, weights } = example();
  const row = weights.row("qk", 1, 4, null);
  const all = { withoutClass: true, withoutSinks: true, withoutSelf: true };
  near(topOf([row], hiddenOf(all, 4, header.sinks)), 0.06);
  near(topOf([row], hiddenOf({ ...all, withoutSinks: false }, 4, header.sinks)), 0.725);
  near(topOf([row, [0, 0.99]], new Set()), 0.99);
  near(topOf([[NaN, 0.1, NaN]], new Set()), 0.1, "NaN is nothing");
});

test("the strongest patch is neither the class token nor the query itself", () => {
  assert.equal(strongest([9, 1, 8, 3, 2], 2), 3);
  assert.equal(strongest([9, 5, 1], 1), 2);
  assert.equal(strongest([9, 5], 1), 1, "a grid of one patch");
});

test("mean distance is that of the patches", () => {
  near(meanDistance([0.5, 0, 1, 0, 0, 1, 0], 2, GRID), 0.5);
  assert.ok(Number.isNaN(meanDistance([1, 1], 0, GRID)));
});

test("numbers carry the error of rounding where there is one", () => {
  assert.equal(written(WORDS, 0.0123, 0), "0.0123");
  assert.equal(written(WORDS, 0.339, 7.6e-6), "0.339", "too small to be seen");
  assert.equal(written(WORDS, 4.08e-5, 7.6e-6), "4.08e−05 ± 8e−06");
  assert.equal(written(WORDS, 0.0123, 0.00041), "0.0123 ± 0.0004");
  near(roundingError(0.25, 1, 10), 0.0525);
});

test("colour follows the square root, statistics do not", () => {
  assert.deepEqual(
    [0, 0.25, 1, 2, NaN].map((v) => rootIndex(v, 1)),
    [0, 128, 255, 255, 0],
  );
  assert.deepEqual(
    [-1, 0.25, 1].map((v) => linearIndex(v, 1)),
    [0, 64, 255],
  );
  assert.equal(rootIndex(1, 0), 0);
});

test("cells are painted where they belong, and no number is grey", () => {
  const picture = { data: new Uint8ClampedArray(4 * 8 * 4), width: 8 };
  const table = Uint8Array.from({ length: 768 }, (_, i) => Math.floor(i / 3));
  const cells = { weights: [9, 0, 0.25, 1, NaN, 0, 0], first: 1, end: 1 };
  paintCells(picture, 4, 1, cells, GRID, { colours: table, unknown: 221 });
  const at = (x, y) => [...picture.data.subarray(4 * (8 * y + x), 4 * (8 * y + x) + 4)];
  assert.deepEqual(
    [at(4, 1), at(5, 1), at(6, 1), at(4, 2)],
    [
      [0, 0, 0, 255],
      [128, 128, 128, 255],
      [255, 255, 255, 255],
      [221, 221, 221, 255],
    ],
  );
  assert.deepEqual(at(3, 1), [0, 0, 0, 0]);
});

test("a single head of a patch is put together like a mean, in the layers that were sent", () => {
  const { weights } = example();
  const row = weights.row("qk", 1, 4, 0);
  [0.304, 1 / 25, 2 / 25, 0.311, 4 / 8, 5 / 25, 6 / 25].forEach((value, i) =>
    near(row[i], value, i),
  );
  near(weights.error("qk", 1, 4, 0, 6), 6 / 25 / 10 + 6 / 25 / 400);
});

test("one head is for the class token, and for patches of layers whose heads are here", () => {
  const { header } = example();
  const state = { hover: null, pinned: CLASS, layer: 0, head: 0, kind: null };
  assert.equal(sightOf(header, state).head, 0);
  const patch = { ...state, hover: cellOf(5, GRID) };
  assert.equal(sightOf(header, patch).head, null);
  assert.equal(sightOf(header, { ...patch, layer: 1 }).head, 0);
  assert.deepEqual(
    [inAllLayers({ token: 5, head: 0 }), inAllLayers({ token: 0, head: 0 })],
    [null, 0],
  );
  assert.match(
    missingHeads(header, 0, 0),
    /Mean of heads, not head 0: .* only in layer 1 of this figure.*with_heads\(trace, \[0\]\)/,
  );
  const scale = { withoutClass: true, withoutSinks: true, withoutSelf: true, own: false };
  const told = (layer) =>
    captionOf(
      header,
      { ...patch, ...scale, layer },
      sightOf(header, { ...patch, layer }),
      1,
      1,
    ).join(" ");
  assert.match(told(0), /mean of 1 heads.*with_heads/);
  assert.match(told(1), /head 0 alone \(in the strips of all layers: mean of heads\)/);
  assert.ok(!told(1).includes("with_heads"));
  assert.equal(sightOf(header, { ...state, pinned: null }).token, 4, "the first query");
  assert.deepEqual(sightOf(header, { ...state, kind: "vv" }).kinds, []);
});

test("the caption names query, layer, heads, scale, what is left out and what was dropped", () => {
  const { header } = example();
  const state = { withoutClass: true, withoutSinks: true, withoutSelf: false, own: false };
  const sight = { token: 5, layer: 1, head: null, kinds: header.kinds };
  const lines = captionOf(header, state, sight, 0.25, 0.5).join(" ");
  assert.match(
    lines,
    /in row 1, column 1 in layer 1, mean of 1 heads.* One scale for all layers, from 0 to 1.8/,
  );
  assert.match(lines, /left out when the scale was set: \[class\], the sinks\./);
  assert.match(lines, /10 steps .* ± in the table .* 1\/10 .* dropped$/);
  const own = captionOf(
    header,
    { ...state, own: true, withoutClass: false, withoutSinks: false },
    { ...sight, token: 0, head: 0 },
    1,
    1,
  ).join(" ");
  assert.match(own, /of \[class\] in layer 1, head 0 alone.* Each map on its own scale/);
  assert.match(own, /Nothing is left out/);
});

test("a map reads the patch that is pointed at, or else where the query looks most", () => {
  const { header, weights } = example();
  const state = { reading: null };
  const sight = { token: 4, layer: 1, head: null, kinds: header.kinds };
  const read = (cell, seen = sight) =>
    readingOf(header, weights, { reading: cell }, header.kinds[0], seen);
  const most = "most: row 0, column 2: 5.1×\nitself 4.3×, 1.2 patches away";
  assert.equal(read(null), most);
  assert.equal(read(cellOf(6, GRID)), "row 1, column 2: 0.4×\nrank about 3 of 6");
  assert.ok(!read(null, { ...sight, token: 0 }).includes("itself"));
  assert.match(
    spoken(header, weights, state, sight),
    /^query row 1, column 0, layer 1; q-k: most: row 0, column 2: 5.1×; itself 4.3×, 1.2/,
  );
  const { title, head, rows } = tableOf(header, weights, sight);
  assert.equal(title, "What row 1, column 0 looks at in layer 1, by q-k");
  assert.deepEqual(head, ["rank", "token", "q-k"]);
  assert.deepEqual(rows, [
    ["1", "row 0, column 2", "0.725"],
    ["2", "[class]", "0.718"],
    ["3", "row 1, column 0", "0.61"],
  ]);
});

test("the headline follows what is chosen, and says of an even map that it is one", () => {
  const { header: of, weights } = example();
  const first = { nearly_even: 0.8, story: "first", query: 4, layer: 1, headed: [] };
  const header = { ...of, ...first };
  const pinned = { grid: 0, ...cellOf(4, GRID) };
  const hover = { grid: 0, ...cellOf(2, GRID) };
  const state = { pinned: null, hover, help: false, layer: 1, head: null, kind: null };
  const told = (changes) => storyOf(header, weights, chosenOf(header, { ...state, ...changes }));
  assert.equal(told({}), "first", "what is only pointed at changes nothing");
  header.query = 5;
  assert.equal(
    told({ pinned }),
    "In layer 1, row 1, column 0 looks most, beside itself, at row 0, column 2 by q-k " +
      `(${(0.725 * header.tokens).toFixed(1)}× an even gaze).`,
  );
  assert.match(told({ pinned, layer: 0 }), /^In layer 0, row 1, column 0 looks/);
  const even = { ...weights, row: () => Float32Array.of(0.9, 0.1, 0.12, 0.11, 0.1, 0.7, 0.1) };
  const tell = (kinds) => storyOf(header, even, { token: 5, layer: 0, head: 3, kinds });
  const alike = "by q-k at 0.70 to 0.84 times an even gaze";
  assert.equal(
    tell(header.kinds),
    `In layer 0, row 1, column 1, by head 3 alone, looks at all patches nearly alike: ${alike}.`,
  );
  header.nearly_even = 0.9;
  assert.match(tell(header.kinds), /looks most, beside itself, at row 0, column 1 by q-k/);
  const alone = { ...header, grids: [{ ...GRID, height: 1, width: 1 }] };
  const lone = { ...weights, row: () => Float32Array.of(0.4, 0.6) };
  const sight = { token: 1, layer: 0, head: null, kinds: header.kinds };
  assert.match(storyOf(alone, lone, sight), /^In layer 0, row 0, column 0 has no other patch/);
});

test("where a pool reads the image nothing is looked at but patches", () => {
  const { header: of, weights } = example();
  const header = { ...of, tokens: 6, whole: "[pool]", beside: "", words: OF_POOL };
  const sight = { token: 4, layer: 1, head: null, kinds: header.kinds };
  const { rows } = tableOf(header, weights, sight);
  assert.deepEqual(
    rows.map(([, token]) => token),
    ["row 0, column 2", "row 1, column 0", "row 1, column 2"],
    "the first column is of no token",
  );
  const state = { withoutClass: true, withoutSinks: false, withoutSelf: false, own: false };
  const told = (token) => captionOf(header, state, { ...sight, token }, 0.25, 0.5, 0.5).join(" ");
  assert.match(told(0), /attention of \[pool\].* looks everywhere alike\. .*from 0 to 1\.5 times/);
  assert.match(told(0), /Nothing is left out.*On the image: how much the pool reads.* 3\.0 times/);
  assert.ok(!told(4).includes("On the image") && !told(4).includes("[class]"));
  const read = readingOf(header, weights, { reading: null }, header.kinds[0], sight);
  assert.match(read, /^most: row 0, column 2: 4\.4×/, "multiples of a sixth");
  assert.equal(nameOf(header, 0), "[pool]");
});
