// Which label, and why not the next? All ranked; one that is clicked shows its map, two what speaks
// for which.
// @ts-check
import { createControls, createMapControls } from "../browser/controls.js";
import { element } from "../browser/element.js";
import { below, isFlag, isShare, patchIn, restored } from "../browser/keep.js";
import { fill } from "../browser/number.js";
import { createMapPanel } from "../browser/panel.js";
import { createPhotoPanel } from "../browser/picture.js";
import { createRanking, createSentence, SENTENCE_STYLE } from "../browser/sentence.js";
import { createSmallPrint } from "../browser/small_print.js";
import { createStage } from "../browser/stage.js";
import { startViewer } from "../browser/start.js";
import { createStore, focused, showsPinned, UNTOUCHED } from "../browser/state.js";

/** @import { Checks } from "../browser/keep.js" */
/** @import { MapPanel, MapSpec } from "../browser/panel.js" */
/** @import { LabelArrays, LabelHeader, LabelState } from "./types.js" */

const STYLE = `
.label_ranking .stage {
  align-items: start;
  grid-template-columns: repeat(2, minmax(0, var(--wide))) minmax(200px, 1fr);
}
/* pictures stay level whatever is written above them */
.label_ranking .panel { grid-row: span 5; grid-template-rows: subgrid; align-self: stretch; }
.label_ranking figcaption { align-self: end; }
.label_ranking .ranking { grid-row: span 5; }
.label_ranking .stage { row-gap: 3px; }
.label_ranking .row { grid-template-columns: minmax(90px, 40%) 1fr 58px; }
.verdict { grid-column: 1 / -1; margin: 0; font-size: 16px; font-weight: 600; }
@container (max-width: 540px) {
  .label_ranking .stage { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .label_ranking .ranking { grid-area: auto / 1 / auto / -1; }
  .rows { flex: none; max-height: none; }
}
`;

/**
 * @param {LabelHeader} header
 * @param {LabelArrays} arrays
 * @param {unknown} view
 */
function build(header, arrays, view) {
  const { alpha, chosen, grids, labels, verdict, words } = header;
  const isLabel = below(labels.length);
  /** @type {Checks<LabelState>} */
  const checks = {
    alpha: isShare,
    smooth: isFlag,
    pinned: patchIn(grids),
    chosen: (kept) => Array.isArray(kept) && kept.length < 3 && kept.every(isLabel),
  };
  /** @type {LabelState} */
  const first = { ...UNTOUCHED, scaling: 0, smooth: true, alpha, chosen };
  const store = createStore({ ...first, ...restored(view, checks) }, grids);
  const on = {
    preview: () => {},
    toggle: (/** @type {number} */ n) => store.set({ chosen: chosenWith(store.state.chosen, n) }),
  };
  const spec = () => specOf(header, arrays.maps, store.state.chosen);
  const map = createMapPanel(header, { RdBu_r: arrays.RdBu_r }, spec(), store);
  const photo = createPhotoPanel(header, store);
  const units = labels.map((name) => ({ name, label: name, start: 0, stop: 1, pieces: "" }));
  const ranking = createRanking(units, arrays.values, on, header.ranking);
  const sentence = createSentence(units, on);
  const told = element("p", { className: "verdict" }, verdict);
  const nodes = [told, sentence.bar, photo.node, map.node, ranking.node];
  const stage = createStage(header.summary, words.keys, store, {}, ...nodes);
  const print = createSmallPrint(words.help);
  print.write([...header.notes, ...header.dropped]);
  const says = (/** @type {LabelState} */ state) => labelStatus(header, map, state);
  const look = { titles: labels, colours: labels.map(() => null) };
  return {
    nodes: [createControls(...createMapControls(store)), stage, ...print.nodes],
    store,
    checks,
    says,
    change(/** @type {LabelState} */ now, /** @type {LabelState} */ before) {
      if (now.chosen !== before.chosen) map.take(spec());
    },
    paint() {
      const { state } = store;
      print.show(state);
      stage.style.setProperty("--alpha", String(state.alpha));
      sentence.show({ word: state.chosen[0] ?? -1, pins: state.chosen }, look);
      ranking.show(state.chosen[0] ?? -1);
      print.status.textContent = says(state);
      photo.update(state);
      map.update(state);
    },
    draw() {
      photo.draw(store.state);
      map.draw(store.state);
    },
  };
}

/**
 * The chosen labels after a click on one: it joins, in place of the older of two, or is let go.
 * @param {number[]} chosen
 * @param {number} n
 */
export function chosenWith(chosen, n) {
  if (chosen.includes(n)) return chosen.filter((other) => other !== n);
  return [...chosen, n].slice(-2);
}

/**
 * The map of one label, that of one minus that of the other, or none.
 * @param {Pick<LabelHeader, "labels" | "words" | "subtitle">} header
 * @param {Float32Array} maps (labels, P)
 * @param {number[]} chosen
 * @returns {MapSpec}
 */
export function specOf({ labels, words, subtitle }, maps, chosen) {
  const P = maps.length / labels.length;
  const [one, other] = chosen.map((n) => maps.subarray(n * P, (n + 1) * P));
  const [label, against] = chosen.map((n) => labels[n]);
  const values = !one ? new Float32Array(P).fill(NaN) : one.map((v, i) => v - (other?.[i] ?? 0));
  const reach = Math.max(0, ...Array.from(values, Math.abs).filter(Number.isFinite));
  const title = fill(!one ? words.none : other ? words.against : words.alone, {
    label: label ?? "",
    other: against ?? "",
  });
  const scales = [{ low: -reach, high: reach, colours: "RdBu_r" }];
  return { title, subtitle, source: 0, values, remark: "", scales };
}

/**
 * What a patch says, or for which of two labels it speaks.
 * @param {Pick<LabelHeader, "labels" | "words">} header
 * @param {Pick<MapPanel, "at">} map
 * @param {LabelState} state
 */
export function labelStatus({ labels, words }, map, state) {
  const cell = focused(state);
  const { chosen } = state;
  if (!cell || !chosen.length) return words.idle;
  const value = map.at(cell) ?? NaN;
  const pinned = showsPinned(state) ? words.pinned : "";
  const told = { row: cell.row, column: cell.column, pinned, value };
  if (chosen.length === 1) return fill(words.here, { ...told, label: labels[chosen[0]] });
  return fill(words.speaks, { ...told, label: labels[chosen[value < 0 ? 1 : 0]] });
}

export default startViewer("label_ranking", SENTENCE_STYLE + STYLE, build);
