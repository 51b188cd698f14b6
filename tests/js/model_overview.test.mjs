import assert from "node:assert/strict";
import { test } from "node:test";
import { columnsOf } from "../../clipxai/view/model_overview/columns.js";
import {
  askedPatch,
  lensAt,
  railKind,
  railMap,
  rowMap,
  rowOf,
  shareOf,
} from "../../clipxai/view/model_overview/numbers.js";
import { codeOf } from "../../clipxai/view/model_overview/says.js";

// two layers of two heads, two texts, 1 × 3 patches behind a class token
const HEADER = {
  grids: [{ height: 1, width: 3 }],
  texts: ["a", "b"],
  numbers: [0, 7],
  ...{ layers: 2, heads: 2, leading: 1, stream: true, stations: 3, asked: [2, 1] },
  ...{ patch_heads: 2, kept_class: 2, kept: 2, rail_stations: 2 },
  rail: { blocks: 1, switches: 3 },
  codes: {
    text: "read({text})",
    heads: "heads({layer}, {head})",
    attention: "look({layer}{query})",
    joint: "all",
  },
  rail_codes: Array.from({ length: 8 }, (_, n) => [`plain ${n}`, `minus ${n}`]),
  words: { vv: "v-v", qk: "q-k", with_ffn: " + F" },
};
const count = (length) => Float32Array.from({ length }, (_, n) => n);
const ARRAYS = {
  lens: count(3 * 2 * 4),
  attention: count(2 * 2 * 4),
  ffn: count(2 * 2 * 4),
  rail: count(8 * 2 * 2 * 3),
  empty: Float32Array.from({ length: 8 * 3 }, (_, n) => n / 4),
  class_low: Uint8Array.of(0, 1, 2, 3, 0, 3, 3, 1),
  class_high: new Uint8Array(8),
  class_weights: Float32Array.of(0.5, 0.25, 0.5, 0.25, 0.5, 0.25, 0.625, 0.125),
  class_level: count(4),
  class_spread: count(4),
  patch_low: Uint8Array.from({ length: 24 }, (_, n) => n % 4),
  patch_high: Uint8Array.from({ length: 24 }, (_, n) => (n === 23 ? 1 : 0)),
  patch_weights: new Float32Array(24).fill(0.5),
  patch_level: count(12),
  patch_spread: count(12),
};
const STATE = {
  hover: null,
  pinned: null,
  help: false,
  text: 1,
  box: "attention",
  layer: 1,
  head: 1,
};
const followed = { ...STATE, pinned: { grid: 0, row: 0, column: 2 } };

test("every block stands in one column, whatever the room", () => {
  for (const [layers, most] of [8, 12, 24, 48].flatMap((n) =>
    [5, 6, 7, 11, 30].map((m) => [n, m]),
  )) {
    for (let open = 0; open < layers; open++) {
      const columns = columnsOf(layers, most, open);
      const blocks = columns.flatMap(({ first, last }) =>
        Array.from({ length: last - first + 1 }, (_, n) => first + n),
      );
      assert.deepEqual(blocks, [...Array(layers).keys()]);
      assert.ok(columns.length <= Math.max(5, most), `${columns.length} of ${most}`);
      assert.ok(columns.some(({ first, last }) => first === open && last === open));
    }
  }
  assert.equal(columnsOf(24, 8, 12).length, 8);
  const beside = columnsOf(8, 5, 6, 2).map(({ first, last }) => `${first}–${last}`);
  assert.deepEqual(beside, ["0–1", "2–4", "5–5", "6–6", "7–7"], "the second rail begins at 2");
});

test("a row is the one of its layer, head and token", () => {
  const row = rowOf(HEADER, ARRAYS, 1, 1, -1);
  assert.deepEqual(row, { tokens: [3, 1], weights: [0.625, 0.125], level: 3, spread: 3, count: 4 });
  assert.deepEqual(rowOf(HEADER, ARRAYS, 1, 1, 2).tokens, [2, 3 + 256]);
  const mean = { ...HEADER, patch_heads: 1 };
  assert.deepEqual(rowOf(mean, ARRAYS, 1, 1, 2).tokens, [2, 3]);
  assert.equal(rowOf({ ...HEADER, patch_heads: 0 }, ARRAYS, 1, 1, 2), null);
  assert.deepEqual([...rowMap(HEADER, [row])], [0.125, 0.125, 0.625]);
});

test("shares and cosines are those of what is followed", () => {
  assert.equal(shareOf(HEADER, ARRAYS, "ffn", { first: 1, last: 1 }, 1, -1), 12);
  assert.equal(shareOf(HEADER, ARRAYS, "ffn", { first: 0, last: 1 }, 0, 2), 3 + 11);
  assert.equal(shareOf(HEADER, {}, "ffn", { first: 0, last: 1 }, 0, 2), null);
  assert.equal(lensAt(HEADER, ARRAYS, 2, 1, 0), 21);
  assert.equal(askedPatch(HEADER, STATE), -1);
  assert.equal(askedPatch(HEADER, STATE, true), 1);
  assert.equal(askedPatch({ ...HEADER, kept_class: 0 }, { ...STATE, text: 0 }), 2);
  assert.equal(askedPatch(HEADER, followed), 2);
});

test("the second rail is that of its switches", () => {
  const all = { ...STATE, setting: 7 };
  assert.deepEqual([...railMap(HEADER, ARRAYS, 0, all)], [87, 88, 89]);
  assert.deepEqual([...railMap(HEADER, ARRAYS, 1, all)], [93, 94, 95]);
  const minus = { ...STATE, setting: 15 };
  assert.deepEqual([...railMap(HEADER, ARRAYS, 1, minus)], [93 - 5.25, 94 - 5.5, 95 - 5.75]);
  assert.deepEqual([...railMap(HEADER, ARRAYS, 0, minus)], [87, 88, 89]);
  const last = { ...HEADER, rail_stations: 1 };
  assert.equal(railMap(last, ARRAYS, 0, all), null);
  assert.deepEqual([...railMap(last, ARRAYS, 1, { ...STATE, setting: 2 })], [15, 16, 17]);
  const kinds = [0, 1, 4, 5].map((setting) => railKind(HEADER, { ...STATE, setting }));
  assert.deepEqual(kinds, ["q-k + F", "v-v + F", "q-k", "v-v"]);
});

test("the line of code is that of the open box", () => {
  assert.equal(codeOf(HEADER, STATE), "heads(1, 1)");
  assert.equal(codeOf(HEADER, followed), "look(1, query=(0, 2))");
  assert.equal(codeOf(HEADER, { ...STATE, box: "ffn" }), "");
  assert.equal(codeOf(HEADER, { ...STATE, box: "text" }), "read(7)");
  assert.equal(codeOf(HEADER, { ...STATE, box: "image" }), "all");
  assert.equal(codeOf(HEADER, { ...STATE, box: "rail", setting: 13 }), "minus 5");
});
