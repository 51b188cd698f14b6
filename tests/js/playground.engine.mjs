// Does the engine of the playground say what torch says? Run by test_playground.py, which has torch
// write its answers into a folder first.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { mapOf, sharesOf } from "../../clipxai/play/engine/decomposition.js";
import { modelOf } from "../../clipxai/play/engine/model.js";
import { cosines, featureSurgery, rewrite } from "../../clipxai/play/engine/surgery.js";
import { spell, withoutEach } from "../../clipxai/play/engine/tokens.js";
import { read, see } from "../../clipxai/play/engine/towers.js";
import { normalised } from "../../clipxai/play/engine/towers.js";

const FOLDER = process.env.PLAYGROUND_ANSWERS;
const NAMES = [
  "image tokens",
  "text features",
  "raw maps",
  "rewritten tokens",
  "surgery less the empty text",
  "surgery less what texts share",
  "shares of heads",
  "shares of biases and FFNs",
  "shares of embedding and norm",
  "shortened texts",
  "word maps by decomposition",
  "word maps by surgery",
];
const file = (name) => readFileSync(`${FOLDER}/${name}`);
const array = (kind, bytes) =>
  new kind(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
const { header, scenes, lengths, texts } = JSON.parse(file("asked.json"));
const model = modelOf(header, array(Uint16Array, file("weights.bin")));
const answers = array(Float32Array, file("answers.bin"));
const { vocabulary } = model;
const encoded = (ids) => read(model.text, ids, vocabulary.end);
const flat = (arrays) => arrays.flatMap((one) => [...one]);
const patches = (map) => [...map.subarray(1)];
const minus = (a, b) => a.map((value, i) => value - b[i]);

test("two hundred texts are spelled alike, and what is too long is refused", () => {
  assert.equal(texts.length, 200);
  assert.ok(texts.some(({ tooLong }) => tooLong));
  for (const { text, ids, words, tooLong } of texts) {
    if (tooLong) {
      assert.throws(() => spell(text, vocabulary), /tokens, but this model reads/, text);
      continue;
    }
    const found = spell(text, vocabulary);
    assert.deepEqual(found.ids, ids, JSON.stringify(text));
    const told = found.words.map(({ text, start, stop }) => [text, start, stop]);
    assert.deepEqual(told, words, JSON.stringify(text));
  }
});

test("a text that was read in the wrong encoding is refused", () => {
  assert.throws(() => spell("a cafÃ©", vocabulary), /wrong encoding/);
});

/** All that is asked of a scene, in the order of NAMES. */
function saidOf({ texts, change, silenced, pixels }) {
  const bytes = Buffer.from(pixels, "hex");
  const colours = Uint8Array.from({ length: (bytes.length / 3) * 4 }, (_, i) =>
    i % 4 === 3 ? 255 : bytes[3 * (i >> 2) + (i % 4)],
  );
  const trace = see(model.image, normalised(model.image, colours), silenced);
  const spelled = texts.map((text) => spell(text, vocabulary));
  const said = spelled.map(({ ids }) => encoded(ids));
  const tokens = rewrite(model.image, trace, change);
  const plain = rewrite(model.image, trace, header.presets.clip_surgery);
  const empty = encoded(spell("", vocabulary).ids);
  const shares = sharesOf(model.image, trace, said[0]);
  const shorter = withoutEach(spelled[0], vocabulary).map(encoded);
  const decomposed = (text) => mapOf(sharesOf(model.image, trace, text));
  const [whole, ...parts] = cosines(plain, [said[0], ...shorter]);
  return [
    trace.tokens,
    flat(said),
    cosines(trace.tokens, said).flatMap(patches),
    tokens,
    flat(featureSurgery(tokens, said, empty)),
    flat(featureSurgery(tokens, said, null)),
    shares.heads.flatMap(flat),
    [...shares.biases, ...shares.ffns],
    [shares.embedding, shares.norm],
    flat(shorter),
    shorter.flatMap((text) => [...minus(decomposed(said[0]), decomposed(text))]),
    parts.flatMap((part) => patches(minus(whole, part))),
  ];
}

test("scenes give the same numbers", () => {
  const worst = NAMES.map(() => 0);
  let at = 0;
  scenes.forEach((scene, n) => {
    saidOf(scene).forEach((found, kind) => {
      assert.equal(found.length, lengths[n][kind], `${NAMES[kind]} of scene ${n}`);
      for (let i = 0; i < found.length; i++, at++) {
        const off = Math.abs(found[i] - answers[at]);
        worst[kind] = off <= worst[kind] ? worst[kind] : off; // NaN counts
      }
    });
  });
  assert.equal(at, answers.length);
  NAMES.forEach((name, kind) =>
    console.log(`${name}: at most ${worst[kind].toExponential(1)} off`),
  );
  NAMES.forEach((name, kind) => assert.ok(worst[kind] <= 1e-4, `${name}: ${worst[kind]} off`));
});
