// What is true of what is shown? Whether a map points at what its text names, what a thing was
// worth, and whether a map had promised it. Sentences of walks may claim only what stands here.
// @ts-check
import { ontoImage } from "../../view/browser/interpolate.js";
import { methodOf } from "./switches.js";

/** @import { Grid } from "../../view/browser/interpolate.js" */
/** @import { Chosen, Heard, PlayModel, Thing } from "./types.js" */

export const SURE = 0.005; // a cosine that is told apart from none, by two digits
export const NEAR_CHANCE = 0.045; // a contrast that is no way up, as Python has it

/**
 * Places of the things that a text names: "two dogs and an owl" names dogs and owls. The longest
 * name counts: "a fire truck" names no truck.
 * @param {string} text
 * @param {Thing[]} things
 * @param {string[]} names that there are
 */
export function namedIn(text, things, names) {
  let rest = text.toLowerCase();
  const found = new Set();
  for (const name of [...names].sort((a, b) => b.length - a.length)) {
    const plain = name.replace(/[^\w ]/g, "");
    const left = rest.replace(new RegExp(`(^|[^a-z])${plain}(s|es)?(?![a-z])`, "gi"), "$1|");
    if (left !== rest) found.add(name);
    rest = left;
  }
  return [...things.keys()].filter((n) => found.has(things[n].name));
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
  for (let i = 0; i < values.length; i++) {
    sums[mask[i]] += values[i];
    counts[mask[i]]++;
  }
  if (!(high > low) || !counts[0] || !counts[1]) return null;
  return (sums[1] / counts[1] - sums[0] / counts[0]) / (high - low);
}

/** @param {ArrayLike<number>} scores */
export function varies(scores) {
  let [low, high] = [Infinity, -Infinity];
  for (let i = 0; i < scores.length; i++) {
    [low, high] = [Math.min(low, scores[i]), Math.max(high, scores[i])];
  }
  return high - low > 1e-6 * Math.max(Math.abs(low), Math.abs(high));
}

/**
 * Whether a map of cosines is one number, or written as 0 all over: then which way up it is means
 * nothing.
 * @param {ArrayLike<number>} scores
 */
export function nothingLeft(scores) {
  return !varies(scores) || Array.prototype.every.call(scores, (score) => Math.abs(score) < SURE);
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
  for (let y = 0, i = 0; y < size; y++) {
    const row = Math.floor(y / patch) * grid;
    for (let x = 0; x < size; x++, i++) {
      if (mask[i]) shares[row + Math.floor(x / patch)] += 1 / patch ** 2;
    }
  }
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
 * @property {number | null} loss  what the cosine loses without it; null while not known
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
      loss: without === null || whole === null ? null : whole - without,
      fetched: covered[n].reduce((sum, share, p) => sum + share * maps.made[p], 0),
      raw: standsOut(maps.raw, covered[n]),
      surgery: standsOut(maps.surgery, covered[n]),
    };
  });
}

/**
 * @typedef {Record<string, number | string | boolean | null>} Facts
 * @typedef {Pick<Chosen, "head" | "word">} Picked  whose map is the third
 * @typedef {{raw: number | null, surgery: number | null, names: string[]}} Verdict  contrasts of
 *   both maps, and the things on the stage that the text names
 */

/**
 * Facts by the names that sentences know: numbers and words to fill in, and what holds or does not.
 * @param {Heard} heard
 * @param {Verdict} verdict
 * @param {Worth[]} worths
 * @param {PlayModel} model
 * @param {Picked} picked
 * @param {string} empty what the empty text is called
 * @returns {Facts}
 */
export function factsOf(heard, { raw, surgery, names }, worths, model, picked, empty) {
  const { maps, cosines, asked } = heard;
  return {
    ...{ raw, surgery, names: listed(names), text: quoted(asked.texts[asked.text], empty) },
    cosine: cosines[asked.text],
    rawInverted: raw !== null && raw <= -NEAR_CHANCE,
    rawRight: raw !== null && raw >= NEAR_CHANCE,
    rawUnclear: raw !== null && Math.abs(raw) < NEAR_CHANCE,
    hidden: raw === null && names.length > 0,
    surgeryFlat: maps !== null && nothingLeft(maps.surgery),
    surgeryVaries: maps !== null && !nothingLeft(maps.surgery),
    surgeryRight: surgery !== null && surgery >= NEAR_CHANCE,
    surgeryWrong: surgery !== null && surgery < NEAR_CHANCE,
    absent: maps !== null && !names.length,
    method: methodOf(asked, model.presets),
    ...factsOfSwitches(asked, model),
    ...factsOfHeads(heard, model.image.heads, picked),
    ...factsOfWords(heard, picked),
    ...factsOfThings(worths, names),
  };
}

/**
 * @param {Chosen} asked
 * @param {PlayModel} model
 * @returns {Facts}
 */
function factsOfSwitches({ change, redundant, things }, { presets }) {
  return {
    theirWay: JSON.stringify(change) === JSON.stringify(presets.clip_surgery),
    nothingOff: redundant === "nothing",
    emptyOff: redundant === "empty",
    ffnsOn: change.ffn && change.blocks > 0,
    count: things.length,
    several: things.length > 2,
  };
}

/**
 * @param {Heard} heard
 * @param {number} heads of a layer
 * @param {Picked} picked
 * @returns {Facts}
 */
function factsOfHeads({ maps, effects, asked }, heads, { head, word }) {
  if (!maps) return {};
  const [best] = [...maps.shares.keys()].sort((a, b) => maps.shares[b] - maps.shares[a]);
  const name = (/** @type {number} */ at) =>
    `head ${at % heads} of layer ${Math.floor(at / heads)}`;
  return {
    best: name(best),
    share: maps.shares[best],
    headsShare: maps.shares.reduce((a, b) => a + b),
    bestChosen: head === best && word === null,
    silent: asked.silenced.length ? listed(asked.silenced.map(name)) : null,
    before: effects?.unsilenced?.[asked.text] ?? null,
  };
}

/**
 * @param {Heard} heard
 * @param {Picked} picked
 * @returns {Facts}
 */
function factsOfWords({ maps }, { word }) {
  if (!maps?.words.length) return {};
  const top = maps.words.reduce((best, word) => (word.drop > best.drop ? word : best));
  const chosen = word === null ? undefined : maps.words[word];
  return {
    word: top.name,
    drop: top.drop,
    wordMatters: top.drop > 0 && maps.words.length > 1,
    chosenWord: chosen?.name ?? null,
    pieces: chosen?.pieces ?? null,
    spelled: chosen !== undefined && chosen.pieces > 1,
  };
}

/**
 * Of the first thing that the text names.
 * @param {Worth[]} worths
 * @param {string[]} names
 * @returns {Facts}
 */
function factsOfThings(worths, names) {
  const thing = worths.find(({ name, loss }) => names.includes(name) && loss !== null);
  if (!thing || thing.loss === null) return {};
  const { name, loss, fetched } = thing;
  return { thing: name, loss, fetched, promiseHolds: loss > 0 === fetched > 0 };
}

/**
 * A text as sentences and titles have it.
 * @param {string} text
 * @param {string} empty
 */
export function quoted(text, empty) {
  return text ? `“${text}”` : empty;
}

/**
 * "a", "a and b", "a, b and c".
 * @param {string[]} names
 */
function listed(names) {
  return names.length < 2
    ? names.join()
    : `${names.slice(0, -1).join(", ")} and ${names[names.length - 1]}`;
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
