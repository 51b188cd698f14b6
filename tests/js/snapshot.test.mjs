import assert from "node:assert/strict";
import { test } from "node:test";
import { fileName, xml } from "../../clipxai/view/browser/snapshot.js";

test("words become XML and file names that mean no harm", () => {
  assert.equal(xml('<b a="1">&'), "&lt;b a=&quot;1&quot;>&amp;");
  assert.equal(
    fileName("Where clip, clip_surgery see '../a cat' <b>?"),
    "where-clip-clip-surgery-see-a-cat-b",
  );
  assert.equal(fileName("Où est l’œuf 🥚"), "où-est-l-œuf");
  assert.equal(fileName("?!"), "figure");
});
