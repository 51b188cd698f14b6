// Do the sentences of the playground claim only what holds, and do its parts say the right numbers?
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { singles } from "../../clipxai/play/engine/model.js";
import { linear, product } from "../../clipxai/play/engine/kernels.js";
import { contrastOf, coverage, namedIn, sentenceFor } from "../../clipxai/play/page/facts.js";
import { factsOf, NEAR_CHANCE, SURE, worthOf } from "../../clipxai/play/page/facts.js";
import { verdictOf } from "../../clipxai/play/page/maps.js";
import { outlinesOf } from "../../clipxai/play/page/scene.js";
import { alive, settled } from "../../clipxai/play/page/switches.js";
import { sayThings } from "../../clipxai/play/page/things.js";
import { freePlace } from "../../clipxai/play/page/tools.js";
import { checksOf } from "../../clipxai/play/page/checks.js";
import { entered, left, OWN } from "../../clipxai/play/page/walks.js";
import { restored } from "../../clipxai/view/browser/keep.js";

const GRID = { height: 2, width: 2, box: [0, 0, 4, 4], image_size: [4, 4] };
const PLAIN = { attention: "vv", blocks: 6, dual_path: true, residual: true, ffn: false };
const MODEL = { image: { heads: 4 }, presets: { clip_surgery: PLAIN } };
const MASK = Uint8Array.from({ length: 16 }, (_, i) => +(i % 4 < 2 && i < 8)); // upper left

test("what a reader had before a walk comes back behind it", () => {
  const things = [{ name: "owl", x: 0.5, y: 0.5, side: 0.4 }];
  const mine = { things, background: "sand", texts: ["an owl"], text: 0, change: PLAIN };
  const rest = { redundant: "nothing", silenced: [3], head: 3, word: null };
  const own = { ...mine, ...rest };
  const first = { ...own, alpha: 0.25, walk: null, step: 0, selected: 0, before: null };
  const set = { ...own, things: [], texts: ["a cat", "a dog"], text: 1, silenced: [], head: null };
  const [one, other] = ["one", "other"].map((name) => ({ name, title: name, steps: [{ set }] }));
  const inside = { ...first, ...entered(first, one) };
  assert.deepEqual([inside.walk, inside.things, inside.selected], ["one", [], null]);
  const moved = { ...inside, background: "night sky", step: 2, alpha: 0.75 };
  const second = { ...moved, ...entered(moved, other) };
  const out = { ...second, ...left(second) };
  assert.deepEqual(out, { ...first, alpha: 0.75, selected: null }, "its scene, texts, settings");
  const linked = { ...first, ...set, walk: "one", step: 1 };
  assert.deepEqual({ ...linked, ...left(linked) }.texts, set.texts, "a link leads right into it");
  const checks = checksOf({
    pictures: { names: ["owl"], backgrounds: ["sand"] },
    model: { image: { layers: 6, heads: 4 } },
    walks: [one, other],
  });
  const before = { ...Object.fromEntries(OWN.map((name) => [name, own[name]])) };
  before.change = { ...PLAIN, neighbourhood: null, normalize: null, sharpen: null };
  Object.assign(before.change, { iterations: 1, class_token: "original" });
  assert.deepEqual(restored({ before }, checks), { before }, "it outlives a reload");
  for (const wrong of [{ ...before, things: [{}] }, { things }, 7, "x"]) {
    assert.deepEqual(restored({ before: wrong }, checks), {});
  }
  for (const name of [["owl"], { toString: "owl" }, null, "cat"]) {
    assert.deepEqual(restored({ things: [{ ...things[0], name }] }, checks), {}, "no such thing");
  }
});

test("half precision comes out exactly, small and large", () => {
  const halves = Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7bff, 0x8000, 0x3555);
  const values = [1, -2, 2 ** -24, 65504, -0, 0.333251953125];
  assert.deepEqual([...singles(halves)], values);
});

test("the compiled product is the plain one, also for odd sizes", () => {
  for (const [N, I, O] of [
    [1, 3, 1],
    [5, 197, 6],
    [2, 8, 4],
  ]) {
    const x = Float32Array.from({ length: N * I }, (_, i) => Math.sin(i));
    const w = Float32Array.from({ length: O * I }, (_, i) => Math.cos(3 * i));
    const [fast, slow] = [linear(x, N, I, w, O), product(x, N, I, w, O)];
    fast.forEach((value, i) => assert.ok(Math.abs(value - slow[i]) < 1e-5, `${N} ${I} ${O}`));
  }
});

test("contrast is inside minus outside of the map between 0 and 1", () => {
  assert.ok(contrastOf([1, 0, 0, 0], GRID, MASK, 4) > 0.4);
  assert.ok(contrastOf([0, 1, 1, 1], GRID, MASK, 4) < -0.4);
  assert.equal(contrastOf([1, 1, 1, 1], GRID, MASK, 4), null, "flat");
  assert.equal(contrastOf([1, 0, 0, 0], GRID, new Uint8Array(16), 4), null, "nothing is named");
  assert.deepEqual([...coverage(MASK, 4, 2)], [1, 0, 0, 0]);
});

test("a text names things by whole words, and the longest name", () => {
  const names = ["cat", "car", "ice cream", "truck", "fire truck"];
  const things = names.map((name) => ({ name }));
  const named = (text) => namedIn(text, things, names);
  assert.deepEqual(named("two cats and an ice cream"), [0, 2]);
  assert.deepEqual(named("a caterpillar, a scar"), []);
  assert.deepEqual(named("A fire truck"), [4]);
  assert.deepEqual(named("a fire truck, a truck"), [3, 4]);
  assert.deepEqual(named("cat cat car"), [0, 1]);
  assert.deepEqual(namedIn("a fire truck", [{ name: "truck" }], names), []);
});

test("an outline goes around a thing, crumbs have none", () => {
  const mask = new Uint8Array(100);
  for (const i of [11, 12, 13, 21, 22, 23, 31, 32, 33]) mask[i] = 1;
  const [line, ...others] = outlinesOf(mask, 10);
  assert.equal(others.length, 0);
  assert.equal(line.length, 24, "twelve corners");
  assert.deepEqual([Math.min(...line), Math.max(...line)], [1, 4]);
});

test("switches that Python refuses cannot be touched", () => {
  const dead = (change, redundant = "empty") =>
    Object.entries(alive({ ...PLAIN, ...change }, redundant)).flatMap(([n, on]) => (on ? [] : [n]));
  assert.deepEqual(dead({}), ["iterations", "class_token"]);
  assert.deepEqual(dead({ attention: "gem" }), ["neighbourhood", "normalize", "class_token"]);
  assert.ok(dead({ blocks: 1 }).includes("dual_path"));
  assert.ok(dead({ residual: false }).includes("blocks"));
  const gone = { ...PLAIN, attention: "identity", sharpen: 8, normalize: true, iterations: 2 };
  assert.deepEqual(
    ["sharpen", "normalize", "iterations"].map((name) => settled(gone)[name]),
    [null, null, 1],
  );
});

test("sentences stand behind facts; the last claims nothing", () => {
  const maps = {
    raw: Float32Array.of(-1, 0, 0, 0),
    surgery: Float32Array.of(1, 0, 0, 0),
    made: Float32Array.of(0.5, 0, 0, 0),
    shares: Float32Array.of(0, 0, 0, 0, 0, 0.75, 0, -0.25),
    words: [{ name: "cat", drop: 0.5, pieces: 2 }],
  };
  const asked = { texts: ["a cat"], text: 0, things: [{ name: "cat" }], silenced: [] };
  const heard = { maps, cosines: [0.6], effects: { without: [[-0.1]] }, errors: [""] };
  heard.asked = { ...asked, change: PLAIN, redundant: "empty" };
  const worths = worthOf(heard, [coverage(MASK, 4, 2)]);
  assert.ok(Math.abs(worths[0].loss - 0.7) < 1e-9 && worths[0].raw === -1);
  const verdict = { raw: -0.5, surgery: 0.5, names: ["cat"] };
  const facts = factsOf(heard, verdict, worths, MODEL, { head: 5, word: null });
  assert.equal(facts.best, "head 1 of layer 1");
  assert.ok(facts.promiseHolds && facts.theirWay && facts.bestChosen && facts.rawInverted);
  const cases = [
    { when: "rawRight", says: "right" },
    { when: "rawInverted and nothingOff", says: "plain" },
    { when: "rawInverted and emptyOff", says: "upside down" },
    { says: "" },
  ];
  assert.equal(sentenceFor(cases, facts), "upside down");
  assert.equal(sentenceFor(cases, { ...facts, rawInverted: false }), "");
});

test("a map is high on no thing that is hidden, nor where it is flat", () => {
  const words = { matters: "most {name}.", raw_map: "raw", surgery_map: "surgery" };
  Object.assign(words, { made_map: "made", none_matters: "none", one_matters: "one {name}" });
  Object.assign(words, { map_agrees: "{map} right", map_differs: "{map}: {name}" });
  const hidden = { name: "ant", loss: 0, fetched: 0, raw: NaN, surgery: NaN };
  const cat = { name: "cat", loss: 0.5, fetched: 0.4, raw: -0.3, surgery: 0 };
  const car = { name: "car", loss: -0.1, fetched: 0.1, raw: 0.2, surgery: 0 };
  assert.equal(sayThings([hidden, cat, car], words), "most cat. raw: car; made right.");
  assert.equal(sayThings([hidden, cat], words), "one cat");
  assert.equal(sayThings([hidden], words), "none");
  assert.equal(sayThings([], words), "", "nothing is known: the stage need not be empty");
});

test("a contrast is told apart from chance as figures tell it", () => {
  const maps = { raw: [0, 1], surgery: [1e-9, 1e-9], made: [0, 0], shares: [0], words: [] };
  const asked = { texts: ["a cat"], text: 0, things: [], silenced: [], change: PLAIN };
  const heard = { maps, cosines: [0.6], effects: null, errors: [""], asked };
  const of = (raw, names) =>
    factsOf(heard, { raw, surgery: null, names }, [], MODEL, { head: null, word: null });
  const golden = JSON.parse(readFileSync(new URL("golden.json", import.meta.url), "utf8"));
  assert.equal(NEAR_CHANCE, golden.near_chance);
  assert.ok(of(0.046, ["cat"]).rawRight && of(-0.046, ["cat"]).rawInverted);
  assert.ok(of(-0.044, ["cat"]).rawUnclear && !of(-0.044, ["cat"]).rawInverted);
  assert.ok(of(0.044, ["cat"]).rawUnclear && of(null, ["cat"]).hidden && of(null, []).absent);
  assert.ok(of(0.03, ["cat"]).surgeryFlat);
});

test("a map that is written as 0 all over is no way up", () => {
  const things = [{ name: "cat" }];
  const mask = Uint8Array.from({ length: 16 }, (_, i) => Number(i < 8)); // the upper half
  const of = (surgery) => {
    const maps = { raw: new Float32Array([1, 1, 0, 0]), surgery: new Float32Array(surgery) };
    const heard = { asked: { texts: ["a cat"], text: 0 }, maps };
    return verdictOf({ heard, shot: { things, masks: [mask] } }, GRID, 4, ["cat"]);
  };
  const { raw, surgery, names } = of([0.004, 0.004, -0.004, 0]);
  assert.ok(raw > SURE && surgery === null);
  assert.deepEqual(names, ["cat"]);
  assert.ok(of([0.006, 0.006, -0.004, 0]).surgery > SURE);
});

test("what is added hides nothing that is there", () => {
  const things = [];
  for (let n = 0; n < 12; n++) {
    const place = freePlace(things);
    for (const { x, y } of things) assert.ok(Math.hypot(x - place.x, y - place.y) > 0.14);
    things.push(place);
  }
});
