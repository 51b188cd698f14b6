import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { pointsOf } from "../../clipxai/view/browser/points.js";

const golden = JSON.parse(readFileSync(new URL("golden.json", import.meta.url), "utf8"));

test("points for SAM are those of Explanation.points, in its order", () => {
  assert.ok(golden.points.some(({ points }) => points.length > 2));
  for (const { grid, scores, threshold, points } of golden.points) {
    const found = pointsOf(
      scores.map((score) => Math.fround(score ?? NaN)),
      grid,
      threshold,
    );
    assert.equal(found.length, points.length);
    points.forEach(([x, y, label], n) => {
      assert.ok(
        Math.abs(found[n].x - x) < 1e-3 && Math.abs(found[n].y - y) < 1e-3,
        `point ${n} lies elsewhere`,
      );
      assert.equal(found[n].label, label);
    });
  }
});

test("there are as many points of background as of object, at most half of the cells each", () => {
  const grid = { height: 4, width: 4, box: [0, 0, 8, 8], image_size: [8, 8] };
  const scores = [...Array(16).keys()];
  assert.deepEqual(
    pointsOf(scores, grid, 0).map(({ label }) => label),
    [1, 1, 0, 0],
  );
  assert.deepEqual(
    pointsOf(scores, grid, 1).map(({ x, y, label }) => [x, y, label]),
    [
      [6, 6, 1],
      [2, 2, 0],
    ],
  );
});
