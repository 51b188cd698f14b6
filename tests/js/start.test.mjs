import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as rest } from "node:timers/promises";
import { deflateSync } from "node:zlib";
import { staticModel } from "../../clipxai/view/browser/host.js";
import { choosePalette, chosenPalette } from "../../clipxai/view/browser/palettes.js";
import { hosting } from "../../clipxai/view/browser/start.js";

globalThis.window = new EventTarget(); // where figures hear of other colours

/** A payload of n bytes. @param {number} n @param {boolean} deflated */
function payloadOf(n, deflated) {
  const bytes = new Uint8Array(n);
  const arrays = { values: { coding: "u8", shape: [n], offset: 0 } };
  return { header: { schema: 1, deflated, arrays }, blob: deflated ? deflateSync(bytes) : bytes };
}

test("data that took longer than their successor or their reader are not drawn", async () => {
  const told = [];
  const begin = (model, el, header, { values }) => {
    told.push(`draw ${values.length}`);
    return { close: () => told.push(`close ${values.length}`) };
  };
  const model = staticModel({ payload: payloadOf(1 << 20, true) });
  const stop = hosting(begin).render({ model, el: {} });
  model.set("payload", payloadOf(2, false)); // is there at once, while the first is inflated
  await rest(200);
  assert.deepEqual(told, ["draw 2"]);
  model.set("payload", payloadOf(3, true));
  await rest(200);
  assert.deepEqual(told.splice(0), ["draw 2", "close 2", "draw 3"]);
  model.set("payload", payloadOf(4, true));
  stop();
  model.set("payload", payloadOf(5, true));
  await rest(200);
  assert.deepEqual(told, ["close 3"]);
});

test("other colours begin a figure anew, if it has any use for them", () => {
  const told = [];
  const begin = (model, el, header, { viridis }) => {
    told.push(viridis ? `colours to ${viridis[767]}` : "none");
    return { close: () => told.push("close") };
  };
  const arrays = { viridis: { coding: "u8", shape: [256, 3], offset: 0 } };
  const coloured = { header: { schema: 1, arrays }, blob: new Uint8Array(768) };
  const stops = [coloured, payloadOf(1, false)].map((payload) =>
    hosting(begin).render({ model: staticModel({ payload }), el: {} }),
  );
  const memory = {};
  globalThis.localStorage = {
    getItem: (name) => memory[name] ?? null,
    setItem: (name, value) => (memory[name] = value),
  };
  choosePalette("grey");
  assert.deepEqual(told, ["colours to 0", "none", "close", "colours to 255"]);
  for (const stop of stops) stop();
  delete globalThis.localStorage; // a browser that may not remember goes on all the same
  assert.equal(chosenPalette(), "viridis");
});

test("a figure takes data that it can, and is begun anew with others", () => {
  const told = [];
  const begin = (model, el, header, { values }) => {
    told.push(`draw ${values.length}`);
    const take = (other, arrays) => {
      told.push(`take ${arrays.values.length}`);
      return arrays.values.length < 4;
    };
    return { take, close: () => told.push(`close ${values.length}`) };
  };
  const model = staticModel({ payload: payloadOf(1, false) });
  const stop = hosting(begin).render({ model, el: {} });
  model.set("payload", payloadOf(2, false));
  model.set("payload", payloadOf(5, false));
  stop();
  assert.deepEqual(told, ["draw 1", "take 2", "take 5", "close 1", "draw 5", "close 5"]);
});
