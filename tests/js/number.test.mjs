import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fill, format, signed, twoDigits } from "../../clipxai/view/browser/number.js";

const golden = JSON.parse(readFileSync(new URL("golden.json", import.meta.url), "utf8"));

test("numbers are written as Python writes them, in every way", () => {
  assert.deepEqual(Object.keys(golden.numbers), [
    "number",
    "signed",
    "two_digits",
    "tenth",
    "percent",
    "hundredths",
  ]);
  for (const [way, pairs] of Object.entries(golden.numbers)) {
    for (const [value, text] of pairs) assert.equal(fill(`{x:${way}}`, { x: value }), text);
  }
  for (const [value, text] of golden.numbers.number) assert.equal(format(value), text);
  for (const [value, text] of golden.numbers.signed) assert.equal(signed(value), text);
  for (const [value, text] of golden.numbers.two_digits) assert.equal(twoDigits(value), text);
});

test("what is no number is called so", () => {
  assert.deepEqual(
    [format, signed, twoDigits].map((write) => write(NaN)),
    Array(3).fill("not a number"),
  );
});

test("shares carry their sign", () => {
  assert.deepEqual([0.12349, -0.5, 0].map(signed), ["+0.123", "−0.500", "+0.000"]);
});

test("sentences are filled as Python fills them", () => {
  for (const [sentence, values, text] of golden.fills) {
    const numbers = Object.entries(values).map(([name, value]) => [name, value ?? NaN]);
    assert.equal(fill(sentence, Object.fromEntries(numbers)), text);
  }
});
