// What is true of what is shown? Whether a map points at what its text names, what a thing was
// worth, and whether a map had promised it. Sentences of walks may claim only what stands here.
// @ts-check
import { ontoImage } from "../../view/browser/interpolate.js";

/** @import { Grid } from "../../view/browser/interpolate.js" */
/** @import { Chosen, Heard, Thing } from "./types.js" */

const SURE = 0.05; // a contrast, or a twentieth of it, that is told apart from none

/**
 * Places of the things that a text names: "two dogs and an owl" names dogs and owls.
 * @param {string} text
 * @param {Thing[]} things
 */
export function namedIn(text, things) {
  const words = text.toLowerCase();
  return [...things.keys()].filter((n) => mentions(words, things[n].name));
}

/**
 * @param {string} words
 * @param {string} name
 */
export function mentions(words, name) {
  const plain = name.replace(/[^\w ]/g, "");
  return new RegExp(`(^|[^a-z])${plain}(s|es)?([^a-z]|$)`, "i").test(words);
}

/**
 * Mean of the map, brought to 0…1 on the picture, inside a mask minus outside; null where one of
 * both is empty. As `contrast` of the viewers.
 * @param {ArrayLike<number>} scores
 * @param {Grid} grid
 * @param {Uint8Array} mask
 * @param {number} size
 */
export function contrastOf(scores, grid, mask, size) {
  const values = ontoImage(scores, grid, size, size, true);
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) [low, high] = [Math.min(low, value), Math.max(high, value)];
  const [sums, counts] = [
    [0, 0],
    [0, 0],
  ];
  mask.forEach((inside, i) => {
    sums[inside] += values[i];
    counts[inside]++;
  });
  if (!(high > low) || !counts[0] || !counts[1]) return null;
  return (sums[1] / counts[1] - sums[0] / counts[0]) / (high - low);
}

/**
 * How much of every patch a mask covers.
 * @param {Uint8Array} mask
 * @param {number} size
 * @param {number} grid patches of a side
 */
export function coverage(mask, size, grid) {
  const shares = new Float32Array(grid * grid);
  const patch = size / grid;
  mask.forEach((inside, i) => {
    const [y, x] = [Math.floor(i / size), i % size];
    shares[Math.floor(y / patch) * grid + Math.floor(x / patch)] += inside / patch ** 2;
  });
  return shares;
}

/**
 * Mean of a map under a thing minus elsewhere, in the map's own unit.
 * @param {ArrayLike<number>} scores
 * @param {Float32Array} covered
 */
export function standsOut(scores, covered) {
  let [inside, outside, area, rest] = [0, 0, 0, 0];
  covered.forEach((share, p) => {
    inside += share * scores[p];
    outside += (1 - share) * scores[p];
    area += share;
    rest += 1 - share;
  });
  return area > 0 && rest > 0 ? inside / area - outside / rest : NaN;
}

/**
 * @typedef {object} Worth  of one thing to the chosen text
 * @property {string} name
 * @property {number | null} change of the cosine when it is taken away; null while not known
 * @property {number} fetched what all heads together fetched from its patches
 * @property {number} raw how far the map stands out there
 * @property {number} surgery
 */

/**
 * @param {Heard} heard
 * @param {Float32Array[]} covered
 * @returns {Worth[]}
 */
export function worthOf({ maps, effects, cosines, asked }, covered) {
  if (!maps) return [];
  const whole = cosines[asked.text];
  return asked.things.map(({ name }, n) => {
    const without = effects?.without[n]?.[asked.text] ?? null;
    return {
      name,
      change: without === null || whole === null ? null : without - whole,
      fetched: covered[n].reduce((sum, share, p) => sum + share * maps.made[p], 0),
      raw: standsOut(maps.raw, covered[n]),
      surgery: standsOut(maps.surgery, covered[n]),
    };
  });
}

/**
 * @typedef {Record<string, number | string | boolean | null>} Facts
 * @typedef {{raw: number | null, surgery: number | null, names: string}} Verdict
 */

/**
 * Facts by the names that sentences know.
 * @param {Heard} heard
 * @param {Chosen} chosen
 * @param {Verdict} verdict
 * @param {Worth[]} worths
 * @param {number} heads of a layer
 * @returns {Facts}
 */
export function factsOf({ maps, cosines, asked }, chosen, verdict, worths, heads) {
  const { raw, surgery, names } = verdict;
  /** @type {Facts} */
  const facts = { raw, surgery, names, text: asked.texts[asked.text] };
  facts.cosine = cosines[asked.text];
  facts.rawInverted = raw !== null && raw < -SURE;
  facts.rawRight = raw !== null && raw > SURE;
  facts.rawUnclear = raw !== null && Math.abs(raw) <= SURE;
  facts.surgeryRight = surgery !== null && surgery > SURE;
  facts.surgeryWrong = surgery !== null && surgery <= SURE;
  facts.mended = raw !== null && surgery !== null && surgery > SURE && surgery > raw + SURE;
  facts.silenced = chosen.silenced.length;
  if (!maps) return facts;
  facts.absent = names === "";
  const order = [...maps.shares.keys()].sort((a, b) => maps.shares[b] - maps.shares[a]);
  const [best] = order;
  Object.assign(facts, { layer: Math.floor(best / heads), head: best % heads });
  facts.share = maps.shares[best];
  facts.headsShare = maps.shares.reduce((a, b) => a + b);
  facts.headChosen = chosen.head === best;
  const drops = [...maps.words].sort((a, b) => b.drop - a.drop);
  if (drops.length) Object.assign(facts, { word: drops[0].name, drop: drops[0].drop });
  if (drops.length) facts.wordMatters = drops[0].drop > 0;
  const named = worths.filter(({ name }) => names.split(", ").includes(name));
  const [thing] = named.filter(({ change }) => change !== null);
  if (thing) {
    Object.assign(facts, { thing: thing.name, change: thing.change, fetched: thing.fetched });
    facts.loses = /** @type {number} */ (thing.change) < 0;
    facts.promiseHolds = facts.loses === thing.fetched > 0;
  }
  return facts;
}

/**
 * The first sentence whose fact holds.
 * @param {{when?: string, says: string}[]} cases
 * @param {Facts} facts
 */
export function sentenceFor(cases, facts) {
  const holds = (/** @type {string} */ when) =>
    when.split(" and ").every((name) => facts[name] !== null && Boolean(facts[name]));
  return cases.find(({ when }) => !when || holds(when))?.says ?? "";
}
