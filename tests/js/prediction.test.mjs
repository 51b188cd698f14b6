// How is a prediction scored, and where are its edges?
import assert from "node:assert/strict";
import { test } from "node:test";
import { edgesOf } from "../../clipxai/view/prediction/painting.js";
import { scoreOf } from "../../clipxai/view/prediction/viewer.js";

test("hits among as many of the highest, and their share of all", () => {
  const values = new Float32Array([NaN, 8, 4, 2, 1, 1]);
  assert.deepEqual(scoreOf(values, [1, 3]), {
    count: 2,
    hits: 1,
    chance: 4 / 5,
    share: 10 / 16,
    even: 2 / 5,
  });
  assert.equal(scoreOf(values, [0]).count, 0, "the patch itself does not count");
});

test("two neighbours have no edge between them", () => {
  const grid = { height: 2, width: 3, box: [0, 0, 20, 30], image_size: [20, 30] };
  const edges = edgesOf([0, 1], grid);
  assert.equal(edges.length, 6);
  assert.ok(!edges.some((edge) => String(edge) === "10,0,10,10"));
  assert.equal(edgesOf([2, 3], grid).length, 8, "the end of a row is no neighbour of the next");
});
