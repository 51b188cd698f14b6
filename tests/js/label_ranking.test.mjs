// Which map do the chosen labels make, and what is chosen after a click?
import assert from "node:assert/strict";
import { test } from "node:test";
import { chosenWith, specOf } from "../../clipxai/view/label_ranking/viewer.js";

const HEADER = {
  labels: ["a", "b"],
  subtitle: "s",
  words: { none: "none", alone: "{label}", against: "{label} rather than {other}" },
};
const MAPS = new Float32Array([1, 2, 4, 8]);

test("a third label takes the place of the older, a chosen one is let go", () => {
  assert.deepEqual(chosenWith([], 3), [3]);
  assert.deepEqual(chosenWith([0, 1], 2), [1, 2]);
  assert.deepEqual(chosenWith([0, 1], 0), [1]);
});

test("one label's map, a difference, nothing", () => {
  const maps = [[1], [1, 0], []].map((chosen) => specOf(HEADER, MAPS, chosen));
  assert.deepEqual(
    maps.map(({ title }) => title),
    ["b", "b rather than a", "none"],
  );
  assert.deepEqual([...maps[0].values], [4, 8]);
  assert.deepEqual([...maps[1].values], [3, 6]);
  assert.deepEqual(maps[1].scales, [{ low: -6, high: 6, colours: "RdBu_r" }]);
  assert.ok(maps[2].values.every(Number.isNaN));
});
