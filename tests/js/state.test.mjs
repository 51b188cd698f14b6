import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { statusLine } from "../../clipxai/view/method_comparison/surroundings.js";
import { staticModel } from "../../clipxai/view/browser/host.js";
import { rankOf } from "../../clipxai/view/browser/panel.js";
import { cellAt, translate } from "../../clipxai/view/browser/picture.js";
import { createStore, focused, keyAction, reduce } from "../../clipxai/view/browser/state.js";
import { isDark } from "../../clipxai/view/browser/theme.js";

const golden = JSON.parse(readFileSync(new URL("golden.json", import.meta.url), "utf8"));
const WORDS = golden.words.method_comparison;
const GRIDS = [{ height: 4, width: 6 }];
const START = { hover: null, pinned: null, help: false };
const cell = (row, column, grid = 0) => ({ grid, row, column });
const run = (...actions) => actions.reduce((state, action) => reduce(state, action, GRIDS), START);

test("hover previews, pin stays, the pinned patch returns when the pointer leaves", () => {
  const pinned = run(
    { type: "hover", cell: cell(1, 2) },
    { type: "pin", cell: cell(1, 2) },
    { type: "hover", cell: cell(3, 3) },
  );
  assert.deepEqual(focused(pinned), cell(3, 3));
  assert.deepEqual(focused(reduce(pinned, { type: "leave" }, GRIDS)), cell(1, 2));
});

test("clicking the pinned patch again, or Escape, unpins", () => {
  const pinned = run({ type: "pin", cell: cell(1, 2) });
  assert.equal(reduce(pinned, { type: "pin", cell: cell(1, 2) }, GRIDS).pinned, null);
  assert.deepEqual(reduce(pinned, { type: "unpin" }, GRIDS), START);
  assert.deepEqual(reduce(pinned, { type: "pin", cell: cell(0, 0) }, GRIDS).pinned, cell(0, 0));
});

test("nothing new is the same state, so nothing is drawn", () => {
  const state = run({ type: "hover", cell: cell(1, 2) });
  assert.equal(reduce(state, { type: "hover", cell: cell(1, 2) }, GRIDS), state);
  assert.equal(reduce(START, { type: "leave" }, GRIDS), START);
  assert.equal(reduce(START, { type: "unpin" }, GRIDS), START);
});

test("arrows start in the middle, move from the pinned patch, and stop at the edge", () => {
  const right = keyAction("ArrowRight");
  assert.deepEqual(focused(run(right)), cell(2, 3));
  assert.deepEqual(
    focused(run({ type: "pin", cell: cell(1, 4) }, right, right, right)),
    cell(1, 5),
  );
  assert.deepEqual(focused(run(...Array(9).fill(keyAction("ArrowUp")))), cell(0, 3));
});

test("keys: space pins, Escape unpins, ? helps, others are left to the page", () => {
  assert.deepEqual(run(keyAction("ArrowUp"), keyAction(" ")).pinned, cell(2, 3));
  assert.equal(run(keyAction(" ")), START);
  assert.equal(run(keyAction("?")).help, true);
  assert.equal(run(keyAction("?"), keyAction("Escape")).help, false);
  for (const key of ["a", "Tab", "constructor", "toString"]) assert.equal(keyAction(key), null);
});

test("an unknown action is an error", () => {
  assert.throws(() => reduce(START, { type: "jump" }, GRIDS), /unknown action/);
});

test("subscribers hear of changes only, until they leave", () => {
  const store = createStore(START, GRIDS);
  let heard = 0;
  const leave = store.subscribe((now, before) => (heard += now === before ? 100 : 1));
  store.dispatch({ type: "hover", cell: cell(0, 0) });
  store.dispatch({ type: "hover", cell: cell(0, 0) });
  leave();
  store.dispatch({ type: "leave" });
  assert.equal(heard, 1);
});

test("a patch of one grid finds its place in another", () => {
  const whole = { height: 2, width: 2, box: [0, 0, 60, 100] };
  const crop = { height: 4, width: 4, box: [0, 20, 60, 80] };
  const grids = [whole, crop];
  assert.deepEqual(cellAt(grids, 1, 20, 0), cell(0, 0, 1));
  assert.equal(cellAt(grids, 1, 19.9, 0), null);
  assert.deepEqual(translate(cell(3, 3, 1), grids, 0), cell(1, 1, 0));
  // its middle is at x 25, y 15
  assert.deepEqual(translate(cell(0, 0, 0), grids, 1), cell(1, 0, 1));
  assert.equal(rankOf([3, 1, NaN, 2], 2), 2);
});

test("the status line says where, and whether it is pinned", () => {
  assert.match(statusLine(WORDS, START), /Move over/);
  assert.equal(statusLine(WORDS, run({ type: "hover", cell: cell(1, 2) })), "row 1, column 2");
  assert.equal(
    statusLine(WORDS, run({ type: "pin", cell: cell(1, 2) })),
    "pinned: row 1, column 2 (Esc unpins)",
  );
});

test("the host's own word on dark beats the system's", () => {
  const page = ({ body = {}, classes = [], root = {}, theme = null }) => ({
    body: { dataset: body, classList: { contains: (name) => classes.includes(name) } },
    documentElement: { dataset: root, getAttribute: () => theme },
  });
  assert.equal(isDark(page({ body: { jpThemeLight: "true" } }), true), false);
  assert.equal(
    isDark(page({ body: { jpThemeLight: "false" }, classes: ["vscode-light"] }), false),
    true,
  );
  assert.equal(isDark(page({ classes: ["vscode-dark"] }), false), true);
  assert.equal(isDark(page({ classes: ["vscode-light"] }), true), false);
  assert.equal(isDark(page({ theme: "dark" }), false), true);
  assert.equal(isDark(page({ root: { theme: "light" } }), true), false);
  assert.equal(isDark(page({}), true), true);
  assert.equal(isDark(page({ body: { theme: "auto" } }), true), true); // Furo's first choice
});

test("the static model tells listeners of a change", () => {
  const model = staticModel({ pinned: null });
  let heard = 0;
  const listener = () => heard++;
  model.on("change:pinned", listener);
  model.set("pinned", [1, 2]);
  model.off("change:pinned", listener);
  model.set("pinned", null);
  assert.equal(heard, 1);
  assert.equal(model.get("pinned"), null);
});
