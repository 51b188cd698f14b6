import assert from "node:assert/strict";
import { test } from "node:test";
import { checksOf } from "../../clipxai/view/method_comparison/viewer.js";
import { isShareable, linkTo, viewIn } from "../../clipxai/view/browser/address.js";
import { atMostEvery } from "../../clipxai/view/browser/host.js";
import { keep, restored } from "../../clipxai/view/browser/keep.js";
import { ofSentence } from "../../clipxai/view/token_map/viewer.js";

const CHECKS = checksOf({
  layouts: [{ text: null }, { text: "an owl" }],
  overlays: [{}, {}, {}],
  scalings: [{}, {}],
  grids: [{ height: 4, width: 6 }],
});
const VIEW = {
  text: "an owl",
  scaling: 1,
  alpha: 0.25,
  smooth: false,
  overlay: 2,
  threshold: 0.8,
  pinned: { grid: 0, row: 3, column: 5 },
};

test("a view that fits comes back whole", () => {
  assert.deepEqual(restored(VIEW, CHECKS), VIEW);
  assert.deepEqual(restored({ ...VIEW, text: null, pinned: null }, CHECKS), {
    ...VIEW,
    text: null,
    pinned: null,
  });
});

test("what makes no sense for these data is left out, one option at a time", () => {
  const strange = {
    text: "a dog",
    scaling: 2,
    alpha: 7,
    smooth: "yes",
    overlay: -1,
    threshold: NaN,
    pinned: { grid: 0, row: 4, column: 0 },
  };
  assert.deepEqual(restored({ ...strange, extra: 1, __proto__: { smooth: true } }, CHECKS), {});
  for (const cell of [{ grid: 1, row: 0, column: 0 }, { grid: 0, row: 0.5, column: 0 }, "patch", 3])
    assert.deepEqual(restored({ pinned: cell }, CHECKS), {});
  for (const view of [null, undefined, 3, "x", []]) assert.deepEqual(restored(view, CHECKS), {});
});

test("hovering tells the model nothing, pinning does", () => {
  const told = [];
  const model = {
    set: (name, value) => told.push([name, value]),
    save_changes: () => told.push("saved"),
  };
  const before = { ...VIEW, hover: null };
  keep(model, { ...before, hover: { grid: 0, row: 0, column: 0 } }, before, CHECKS);
  assert.deepEqual(told, []);
  keep(model, { ...before, pinned: null }, before, CHECKS);
  assert.deepEqual(told, [["view", { ...VIEW, pinned: null }], "saved"]);
});

test("a link holds the view, also of a page that was opened by another link", () => {
  const page = "https://a.org/x.html";
  assert.equal(linkTo(`${page}#old`, null), page); // nothing was chosen yet
  const link = linkTo(`${page}#old`, VIEW);
  assert.deepEqual(viewIn(new URL(link).hash), VIEW);
  assert.ok(link.startsWith(`${page}#`));
  const open = ["https://a.org/x#y", "http://a.org/", "file:///x.html"];
  assert.ok(open.every(isShareable));
  assert.ok(!["about:srcdoc", "blob:null/5", "data:text/html,x"].some(isShareable));
});

test("an address gives a view back, or none", () => {
  assert.deepEqual(viewIn(`#${encodeURIComponent(JSON.stringify(VIEW))}`), VIEW);
  for (const hash of ["", "#", "#section", "#%", "#{"]) assert.equal(viewIn(hash), null);
});

test("words are kept for the same sentence only", () => {
  assert.deepEqual(ofSentence({ said: "a b", word: 2, pins: [1], alpha: 1 }, "a b"), {
    said: "a b",
    word: 2,
    pins: [1],
    alpha: 1,
  });
  assert.deepEqual(ofSentence({ said: "a b", word: 2, pins: [1], alpha: 1 }, "a c"), {
    said: "a b",
    word: null,
    pins: null,
    alpha: 1,
  });
});

test("an address is written at once, then now and then, and the last state too", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let [state, written] = [0, []];
  const save = atMostEvery(20, () => written.push(state));
  for (state = 1; state <= 9; state++) save();
  state = 9;
  assert.deepEqual(written, [1]);
  t.mock.timers.tick(20);
  assert.deepEqual(written, [1, 9]);
  t.mock.timers.tick(20);
  state = 10;
  save();
  assert.deepEqual(written, [1, 9, 10]);
});
