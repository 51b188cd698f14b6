// Where does the model see what the text says? The raw map beside CLIP Surgery's, and a third that
// says what made the score: all heads together, one of them, or one word.
// @ts-check
import { fill, hundredths, signed } from "../../view/browser/number.js";
import { createMapPanel } from "../../view/browser/panel.js";
import { contrastOf, namedIn, NEAR_CHANCE, nothingLeft, quoted, varies } from "./facts.js";
import { methodOf } from "./switches.js";

/** @import { Grid } from "../../view/browser/interpolate.js" */
/** @import { MapSpec } from "../../view/browser/panel.js" */
/** @import { Store } from "../../view/browser/state.js" */
/** @import { Verdict } from "./facts.js" */
/** @import { Shot } from "./scenes.js" */
/** @import { Heard, PlayArrays, PlayHeader, PlayState } from "./types.js" */
/** @typedef {{heard: Heard, shot: Shot} | null} Shown */

/**
 * How well both maps point at what the chosen text names.
 * @param {Shown} shown
 * @param {Grid} grid
 * @param {number} size
 * @param {string[]} known names of things
 * @returns {Verdict}
 */
export function verdictOf(shown, grid, size, known) {
  const maps = shown?.heard.maps;
  if (!shown || !maps) return { raw: null, surgery: null, names: [] };
  const { heard, shot } = shown;
  const named = namedIn(heard.asked.texts[heard.asked.text], shot.things, known);
  const mask = new Uint8Array(size * size);
  for (const n of named) shot.masks[n].forEach((inside, i) => inside && (mask[i] = 1));
  const of = (/** @type {Float32Array} */ scores) => contrastOf(scores, grid, mask, size);
  const names = [...new Set(named.map((n) => shot.things[n].name))];
  const surgery = nothingLeft(maps.surgery) ? null : of(maps.surgery);
  return { raw: of(maps.raw), surgery, names };
}

/**
 * @param {PlayHeader} header
 * @param {PlayArrays} arrays
 * @param {Store<PlayState>} store
 */
export function createMaps(header, arrays, store) {
  const { words, colours } = header;
  const P = header.grids[0].height * header.grids[0].width;
  const empty = specOf(header, "\u00a0", "\u00a0", new Float32Array(P), false);
  const panels = [0, 1, 2].map(() => createMapPanel(header, arrays, empty, store));
  const images = panels.map(
    ({ node }) => /** @type {HTMLImageElement} */ (node.querySelector("img")),
  );
  const surgeryTitle = (/** @type {Heard} */ { asked }) =>
    fill(words.surgery_title, { way: words[`way:${methodOf(asked, header.model.presets)}`] });
  /** @type {unknown[]} */
  let painted = [];
  let fits = false;
  /** @param {number | null} contrast */
  const judged = (contrast) => {
    if (contrast === null) return "";
    const near = Math.abs(contrast) < NEAR_CHANCE;
    const way = near ? words.near_chance : contrast > 0 ? words.way_up : words.upside_down;
    return fill(way, { contrast: hundredths(contrast) });
  };
  return {
    nodes: panels.map(({ node }) => node),
    /** Their size on the screen may be another. */
    fit: () => (fits = false),
    /**
     * @param {PlayState} state
     * @param {Shown} shown
     * @param {Verdict} verdict
     */
    paint(state, shown, verdict) {
      for (const { node } of panels) node.style.setProperty("--alpha", String(state.alpha));
      if (!shown) return;
      const { heard, shot } = shown;
      const wanted = [shown.heard.maps, shot, state.head, state.word];
      if (!fits || wanted.some((one, n) => one !== painted[n])) {
        const { maps } = heard;
        const text = heard.asked.texts[heard.asked.text];
        const named = namedIn(text, shot.things, header.pictures.names).flatMap(
          (n) => shot.outlines[n],
        );
        const make = (
          /** @type {string} */ title,
          /** @type {string} */ subtitle,
          /** @type {Float32Array | undefined} */ values,
          /** @type {boolean} */ zero,
          /** @type {string} */ told,
        ) => ({
          ...specOf(header, title, subtitle, values ?? new Float32Array(P).fill(NaN), zero),
          outlines: named,
          verdict: told,
        });
        const said = quoted(text, words.empty_text);
        const zero = maps && varies(maps.surgery) && nothingLeft(maps.surgery);
        const way = zero ? words.near_zero : judged(verdict.surgery);
        const third = thirdOf(header, state, heard);
        const specs = [
          make(words.raw_title, said, maps?.raw, false, judged(verdict.raw)),
          make(surgeryTitle(heard), said, maps?.surgery, false, way),
          make(third.title, third.subtitle, third.values, true, ""),
        ];
        panels.forEach((panel, n) => {
          if (images[n].src !== shot.photo) images[n].src = shot.photo;
          panel.take(specs[n]);
          if (fits) panel.update(state);
          else panel.draw(state);
        });
        painted = wanted;
        fits = true;
      } else for (const panel of panels) panel.update(state);
    },
  };

  /**
   * @param {PlayHeader} header
   * @param {PlayState} state
   * @param {Heard} heard
   */
  function thirdOf({ model }, state, { maps, asked }) {
    const heads = model.image.heads;
    const { word, head } = state;
    if (!maps) return { title: words.made_title, subtitle: "\u00a0", values: undefined };
    if (word !== null && maps.words[word]) {
      const { name, drop } = maps.words[word];
      const values = maps.wordMaps.slice(word * P, (word + 1) * P);
      const subtitle = fill(words.word_subtitle, { drop: signed(drop) });
      return { title: fill(words.word_title, { name }), subtitle, values };
    }
    if (head !== null) {
      const silent = asked.silenced.includes(head);
      const where = { layer: Math.floor(head / heads), head: head % heads };
      const subtitle = silent
        ? words.silent_subtitle
        : fill(words.head_subtitle, { share: signed(maps.shares[head]) });
      const values = maps.heads.slice(head * P, (head + 1) * P);
      return { title: fill(words.head_title, where), subtitle, values };
    }
    const sum = signed(maps.shares.reduce((a, b) => a + b));
    return {
      title: words.made_title,
      subtitle: fill(words.made_subtitle, { sum }),
      values: maps.made,
    };
  }

  /**
   * @param {PlayHeader} header
   * @param {string} title
   * @param {string} subtitle
   * @param {Float32Array} values
   * @param {boolean} zero whether only the scale with zero in the middle makes sense
   * @returns {MapSpec}
   */
  function specOf({ words }, title, subtitle, values, zero) {
    let [low, high] = [Infinity, -Infinity];
    for (const value of values) [low, high] = [Math.min(low, value), Math.max(high, value)];
    const reach = Math.max(Math.abs(low), Math.abs(high));
    const around = { low: -reach, high: reach, colours: colours.signed };
    const own = { low, high, colours: colours.low };
    const flat = varies(values) ? "" : words.no_variation;
    const remark = Number.isNaN(values[0]) ? words.no_map : flat;
    return { title, subtitle, source: 0, values, remark, scales: [zero ? around : own, around] };
  }
}
