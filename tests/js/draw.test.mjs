import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { cellBox } from "../../clipxai/view/browser/draw.js";
import { colourIndex, ontoImage } from "../../clipxai/view/browser/interpolate.js";

const golden = JSON.parse(readFileSync(new URL("golden.json", import.meta.url), "utf8"));

test("bilinear interpolation is Python's, NaN outside a crop included", () => {
  for (const { grid, scores, size, pixels } of golden.onto) {
    const drawn = ontoImage(scores, grid, size[0], size[1], true);
    pixels.forEach((expected, i) => {
      if (expected === null) assert.ok(Number.isNaN(drawn[i]), `pixel ${i} is outside`);
      else
        assert.ok(Math.abs(drawn[i] - expected) < 1e-5, `pixel ${i}: ${drawn[i]}, not ${expected}`);
    });
  }
});

test("without smoothing every pixel shows its own patch", () => {
  const grid = { height: 2, width: 3, box: [0, 0, 20, 30], image_size: [20, 30] };
  const drawn = ontoImage([1, 2, 3, 4, 5, 6], grid, 4, 6, false);
  assert.deepEqual(
    [...drawn],
    [1, 1, 2, 2, 3, 3, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 4, 4, 5, 5, 6, 6],
  );
});

test("a missing patch does not spoil its neighbours", () => {
  const grid = { height: 1, width: 3, box: [0, 0, 10, 30], image_size: [10, 30] };
  const drawn = ontoImage([1, NaN, 3], grid, 1, 3, true);
  assert.deepEqual([...drawn], [1, 2, 3]);
});

test("colours are Python's to the step", () => {
  for (const { scale, values, indices } of golden.colours) {
    values.forEach((value, i) =>
      assert.ok(Math.abs(colourIndex(value, scale) - indices[i]) <= 1, `value ${value}`),
    );
  }
  assert.equal(colourIndex(0.3, { low: 0.3, high: 0.3 }), 128);
});

test("a cell's box lies where the grid lies on the image", () => {
  const grid = { height: 4, width: 4, box: [0, 20, 60, 80], image_size: [60, 100] };
  assert.deepEqual(
    cellBox(grid, { row: 1, column: 2 }, { height: 120, width: 200 }),
    [100, 30, 30, 30],
  );
});
