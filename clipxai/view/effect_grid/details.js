// What does a click on a head open? The map with the head and without it, and where it looks.
// @ts-check
import { element } from "../browser/element.js";
import { fill } from "../browser/number.js";
import { createMapPanel } from "../browser/panel.js";

/** @import { MapPanel, MapSpec } from "../browser/panel.js" */
/** @import { Store } from "../browser/state.js" */
/** @import { EffectArrays, EffectHeader, EffectState } from "./types.js" */

export const DETAILS_STYLE = `
.effect_grid .details { display: grid; gap: 4px 10px; align-content: start; }
.effect_grid .details { grid-template-columns: repeat(2, minmax(0, 1fr)); }
.effect_grid .details .bar, .effect_grid .details .numbers, .effect_grid .details .badges,
.effect_grid .details .readout { display: none; }
@media (max-height: 700px) {
  .effect_grid .details { max-width: 190px; }
  .effect_grid .effects span { line-height: 18px; min-height: 18px; }
}
`;

/**
 * The photo and, around it, what is known of the chosen head.
 * @param {EffectHeader} header
 * @param {EffectArrays} arrays
 * @param {Store<EffectState>} store
 * @param {Node} photo
 */
export function createDetails(header, arrays, store, photo) {
  const tables = { RdBu_r: arrays.RdBu_r, viridis: arrays.viridis };
  const makes = [
    ...(arrays.maps ? [mapWith, mapWithout] : []),
    ...(arrays.looks ? [whereItLooks] : []),
  ];
  const panels = makes.map((make) => ({
    make,
    panel: createMapPanel(header, tables, make(header, arrays, store.state), store),
  }));
  const node = element("div", { className: "details" }, photo, ...panels.map(nodeOf));
  let taken = "";
  return {
    node,
    /** @param {EffectState} state */
    show(state) {
      const wanted = `${state.text} ${state.at}`;
      for (const { make, panel } of panels) {
        if (taken !== wanted) panel.take(make(header, arrays, state));
        panel.update(state);
      }
      taken = wanted;
    },
    /** @param {EffectState} state */
    draw(state) {
      for (const { panel } of panels) panel.draw(state);
    },
  };
}

/** @param {{panel: MapPanel}} made */
function nodeOf({ panel }) {
  return panel.node;
}

/**
 * @param {EffectHeader} header
 * @param {EffectState} state
 */
function placeOf({ layers, parts, words }, { at }) {
  const part = parts[Math.floor(at / layers.length)];
  return fill(words.place, { layer: layers[at % layers.length], part });
}

/**
 * One of the maps of a text: the first is with all heads; NaN where none was made.
 * @param {EffectHeader} header
 * @param {EffectArrays} arrays
 * @param {EffectState} state
 * @param {number} which
 * @param {number} title
 * @returns {MapSpec}
 */
function mapOf(header, { maps }, state, which, title) {
  const { titles, mapped, scales, unit } = /** @type {NonNullable<EffectHeader["details"]>} */ (
    header.details
  );
  const P = header.grids[0].height * header.grids[0].width;
  const start = (state.text * (1 + mapped.length) + which) * P;
  const known = which >= 0;
  const values = known ? maps.subarray(start, start + P) : new Float32Array(P).fill(NaN);
  const remark = known ? "" : header.words.unmapped;
  const outlines = header.outlines[state.text];
  const scale = scales[state.text] ?? { low: 0, high: 0, colours: "RdBu_r" };
  const told = { title: titles[title], subtitle: unit, remark, outlines };
  return { ...told, source: 0, values, scales: [scale] };
}

/** @type {(header: EffectHeader, arrays: EffectArrays, state: EffectState) => MapSpec} */
function mapWith(header, arrays, state) {
  return mapOf(header, arrays, state, 0, 0);
}

/** @type {(header: EffectHeader, arrays: EffectArrays, state: EffectState) => MapSpec} */
function mapWithout(header, arrays, state) {
  const found = header.details?.mapped.indexOf(state.at) ?? -1;
  const spec = mapOf(header, arrays, state, found < 0 ? -1 : 1 + found, 1);
  return { ...spec, subtitle: placeOf(header, state) };
}

/** @type {(header: EffectHeader, arrays: EffectArrays, state: EffectState) => MapSpec} */
function whereItLooks(header, { looks }, state) {
  const P = header.grids[0].height * header.grids[0].width;
  const { titles = [], looks: scales = [] } = header.details ?? {};
  const values = looks.subarray(state.at * P, (state.at + 1) * P);
  const outlines = header.outlines[state.text];
  const told = { title: titles[2], subtitle: placeOf(header, state), remark: "", outlines };
  return { ...told, source: 0, values, scales: [scales[state.at]] };
}
