// Does attention select the object? The foreground selection ratio of every layer, for texts whose true mask is known.
// @ts-check
import { twoDigits } from "../browser/number.js";

/**
 * How far each layer's attention selects the object, (kinds, layers); none where the text's mask is not known.
 * @param {any} header @param {Record<string, any>} arrays @param {number} text @returns {number[][]}
 */
export function ratiosOf({ selections, kinds, layers }, { selection }, text) {
  if (!selections[text]) return [];
  return kinds.map((/** @type {string} */ _, /** @type {number} */ k) =>
    Array.from(
      selection.subarray(
        (text * kinds.length + k) * layers,
        (text * kinds.length + k + 1) * layers,
      ),
    ),
  );
}

/** The selection ratios of a layer in words, after a separator. @param {any} header @param {number[][]} ratios @param {number} layer @returns {string} */
export function selectionLine(header, ratios, layer) {
  const each = ratios.map((values, k) => `${header.kinds[k]} ${twoDigits(values[layer])}`);
  return each.length ? `; selection ratio ${each.join(", ")}` : "";
}

/** The lane of the selection ratios, if there are any. @param {any} header @param {number[][]} ratios @param {number} text @returns {import("./lanes.js").Lane[]} */
export function selectionLane(header, ratios, text) {
  if (!ratios.length) return [];
  const mean = ratios[0].map(
    (_, n) => ratios.reduce((sum, values) => sum + values[n], 0) / ratios.length,
  );
  const lines = ratios.map((values, k) => ({
    name: header.kinds[k],
    values: [null, ...values, null],
    above: [null, ...values.map((value, n) => (k ? value > mean[n] : value >= mean[n])), null],
  }));
  const { caption, chance } = header.selections[text];
  const titles = mean.map(
    (_, n) =>
      `layer ${n}${selectionLine(header, ratios, n)}; chance ${twoDigits(chance)}\n${caption}`,
  );
  return [
    {
      name: "selection ratio",
      lines,
      level: chance,
      reach: [-0.1], // room for numbers below
      titles: [null, ...titles, null],
    },
  ];
}
