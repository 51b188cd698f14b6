import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { cellBox } from "../../clipxai/view/browser/draw.js";
import { colourIndex, ontoImage } from "../../clipxai/view/browser/interpolate.js";

const golden = JSON.parse(readFileSync(new URL("golden.json", import.meta.url), "utf8"));

const unnull = (scores) => scores.map((score) => score ?? NaN); // JSON has no NaN

test("bilinear interpolation is Python's, NaN outside a crop and in a hole included", () => {
  for (const { grid, scores, size, pixels } of golden.onto) {
    const drawn = ontoImage(unnull(scores), grid, size[0], size[1], true);
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

test("a patch that is not known is not mixed with its neighbours, and stays unknown", () => {
  const grid = { height: 1, width: 3, box: [0, 0, 1, 3], image_size: [1, 3] };
  for (const smooth of [true, false])
    assert.deepEqual([...ontoImage([1, NaN, 3], grid, 1, 3, smooth)], [1, NaN, 3]);
  // six pixels: those beside the hole are what the known neighbour says
  assert.deepEqual([...ontoImage([1, NaN, 3], grid, 1, 6, true)], [1, 1, NaN, NaN, 3, 3]);
  assert.ok(ontoImage([NaN, NaN, Infinity], grid, 1, 6, true).every(Number.isNaN));
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
