import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { barSpan, colourOf, inkOn, ranked } from "../../clipxai/view/browser/sentence.js";
import {
  amongUnits,
  lookOf,
  meanOfPieces,
  shownWord,
  sightOf,
  toggled,
  valuesAt,
  wordStatus,
} from "../../clipxai/view/token_map/sight.js";
import { weightLine } from "../../clipxai/view/token_map/text_matrix.js";

const golden = JSON.parse(readFileSync(new URL("golden.json", import.meta.url), "utf8"));
// [start], "owl" of two pieces, [end], on a grid of 1 × 2 patches
const unit = (name, start, stop, pieces = "") => ({ name, label: name, start, stop, pieces });
const WORDS = [unit("[start]", 0, 1), unit("owl", 1, 3, ", mean of o + wl"), unit("[end]", 3, 4)];
const PIECES = [unit("[start]", 0, 1), unit("o", 1, 2), unit("wl", 2, 3), unit("[end]", 3, 4)];
const path = (units) => [
  {
    subtitles: units.map(({ name }) => `below ${name}`),
    remarks: units.map(() => ""),
    shared: { low: -4, high: 4, colours: "RdBu_r" },
    own: units.map(() => ({ low: 0, high: 1, colours: "viridis" })),
    captions: ["shared", "own"],
    said: golden.words.left_out,
  },
];
const HEADER = {
  grids: [{ height: 1, width: 2, box: [0, 0, 10, 20], image_size: [10, 20] }],
  tokens: ["[start]", "o", "wl", "[end]"],
  modes: [
    { units: WORDS, paths: path(WORDS) },
    { units: PIECES, paths: path(PIECES) },
  ],
  words: golden.words.token_map,
};
const ARRAYS = {
  scores0: Float32Array.from([0, 0, 1, 2, 3, 4, -1, -4]),
  whole0: Float32Array.from([0.5, 0.5, 2]),
  whole1: Float32Array.from([0.5, 0, 1, 2]),
  RdBu_r: Uint8Array.from({ length: 768 }, (_, i) => i % 256),
};
const STATE = {
  hover: null,
  pinned: null,
  mode: 0,
  path: 0,
  scaling: 0,
  word: 1,
  pins: [1, 2],
  preview: null,
};

test("a word shows the mean of its pieces", () => {
  assert.deepEqual([...meanOfPieces(ARRAYS.scores0, WORDS, 2)], [0, 0, 2, 3, -1, -4]);
  const { whole, maps } = sightOf(HEADER, ARRAYS, STATE);
  assert.deepEqual([...whole], [0.5, 0.5, 2]);
  assert.deepEqual(valuesAt(maps, HEADER, { grid: 0, row: 0, column: 1 }), [0, 3, -4]);
  assert.equal(maps[1].subtitle, "below owl");
  const pieces = sightOf(HEADER, ARRAYS, { ...STATE, mode: 1 });
  assert.deepEqual([...pieces.whole], [0.5, 0, 1, 2]);
  assert.deepEqual(valuesAt(pieces.maps, HEADER, { grid: 0, row: 0, column: 0 }), [0, 1, 3, -1]);
});

test("words and pins find their place among pieces, and back", () => {
  const pieces = amongUnits(HEADER, STATE, 1);
  assert.deepEqual(pieces, { mode: 1, word: 1, pins: [1, 3], preview: null });
  assert.deepEqual(amongUnits(HEADER, { ...STATE, mode: 1, word: 2, pins: [1, 2] }, 0), {
    mode: 0,
    word: 1,
    pins: [1],
    preview: null,
  });
});

test("hover previews, click pins and unpins", () => {
  assert.equal(shownWord({ ...STATE, preview: 0 }), 0);
  assert.equal(shownWord(STATE), 1);
  assert.deepEqual(toggled([1, 4], 2), [1, 2, 4]);
  assert.deepEqual(toggled([1, 2, 4], 2), [1, 4]);
});

test("the status names the shown word and the highest at a patch", () => {
  const view = sightOf(HEADER, ARRAYS, STATE);
  assert.match(wordStatus(view, STATE), /Move over/);
  assert.equal(
    wordStatus(view, { ...STATE, preview: 2 }),
    "“[end]” adds 2 to the cosine of image and text",
  );
  assert.equal(
    wordStatus(view, { ...STATE, hover: { grid: 0, row: 0, column: 1 } }),
    "row 0, column 1: “owl” 3; highest “owl” 3, “[start]” 0, “[end]” −4",
  );
});

test("chips are told of and coloured at a patch, else of the whole image", () => {
  const sight = sightOf(HEADER, ARRAYS, STATE);
  const none = lookOf(sight, ARRAYS, STATE);
  assert.equal(none.titles[1], "owl: adds 0.5 to the cosine, mean of o + wl");
  assert.deepEqual(none.colours, [null, null, null]);
  const there = lookOf(sight, ARRAYS, { ...STATE, hover: { grid: 0, row: 0, column: 1 } });
  assert.equal(there.titles[2], "[end]: −4 at row 0, column 1");
  assert.deepEqual(there.colours[2], [0, 1, 2]);
});

test("ranking falls, and what is no number comes last", () => {
  assert.deepEqual(ranked([0.1, NaN, 3, -1, 3]), [2, 4, 0, 3, 1]);
});

test("bars start at zero", () => {
  assert.deepEqual(barSpan(2, -2, 2), { left: 50, width: 50 });
  assert.deepEqual(barSpan(-1, -2, 2), { left: 25, width: 25 });
  assert.deepEqual(barSpan(0, 0, 0), { left: 0, width: 0 });
});

test("letters keep a contrast of 4.5 on every colour", () => {
  const light = (rgb) =>
    rgb
      .map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4))
      .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  for (let n = 0; n < 256; n++) {
    for (const rgb of [
      [n, n, n],
      [n, 0, 0],
      [255, n, n],
      [n, n, 255],
    ]) {
      const [a, b] = [light(rgb), inkOn(rgb) === "#000" ? 0 : 1].sort((x, y) => y - x);
      assert.ok((a + 0.05) / (b + 0.05) >= 4.5, `${rgb}`);
    }
  }
  assert.deepEqual(
    colourOf(
      1,
      { low: -1, high: 1 },
      Uint8Array.from({ length: 768 }, (_, i) => i % 256),
    ),
    [253, 254, 255],
  );
});

test("a token cannot see what comes after it", () => {
  assert.match(weightLine(golden.words.matrix, HEADER.tokens, 0, 1, 3, 0), /cannot see “\[end\]”/);
  assert.equal(
    weightLine(golden.words.matrix, HEADER.tokens, 2, 3, 1, 0.25),
    "layer 2: “[end]” reads 0.25 from “o”",
  );
});
