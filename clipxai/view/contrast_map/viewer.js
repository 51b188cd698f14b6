// What speaks for one text, and what for another? One map in two colours, both names on it.
// @ts-check
import { createControls, createMapControls } from "../browser/controls.js";
import { element } from "../browser/element.js";
import { isFlag, isShare, patchIn, restored } from "../browser/keep.js";
import { fill } from "../browser/number.js";
import { createMapPanel } from "../browser/panel.js";
import { createPhotoPanel } from "../browser/picture.js";
import { createRanking, SENTENCE_STYLE } from "../browser/sentence.js";
import { createSmallPrint } from "../browser/small_print.js";
import { createStage } from "../browser/stage.js";
import { startViewer } from "../browser/start.js";
import { createStore, focused, showsPinned, UNTOUCHED } from "../browser/state.js";

/** @import { Checks } from "../browser/keep.js" */
/** @import { MapPanel } from "../browser/panel.js" */
/** @import { ContrastArrays, ContrastHeader, ContrastState } from "./types.js" */

const STYLE = `
.contrast_map .stage {
  align-items: start;
  grid-template-columns: repeat(2, minmax(0, var(--wide))) minmax(200px, 1fr);
}
/* pictures stay level whatever is written above them */
.contrast_map .panel { grid-row: 2 / span 6; grid-template-rows: subgrid; align-self: stretch; }
.contrast_map figcaption { align-self: end; }
.contrast_map .stage { row-gap: 3px; }
.contrast_map .ranking { grid-row: 2 / span 6; }
/* three bars: each below its name, as wide as there is room */
.contrast_map .row { cursor: auto; grid-template-columns: 1fr auto; gap: 2px 8px; font-size: 14px; }
.contrast_map .row + .row { margin-top: 10px; }
.contrast_map .row span { white-space: normal; text-align: left; }
.contrast_map .row .track { grid-area: 2 / 1 / auto / -1; height: 22px; }
.contrast_map .rows { flex: none; min-height: 0; }
.verdict { grid-column: 1 / -1; margin: 0; font-size: 16px; font-weight: 600; }
.ends { display: flex; justify-content: space-between; gap: 16px; font-weight: 600; }
.ends span { overflow-wrap: anywhere; }
.ends span:first-child { border-bottom: 3px solid var(--minus); }
.ends span:last-child { border-bottom: 3px solid var(--plus); text-align: right; }
@container (max-width: 540px) {
  .contrast_map .stage { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .contrast_map .ranking { grid-area: auto / 1 / auto / -1; }
}
`;

/**
 * @param {ContrastHeader} header
 * @param {ContrastArrays} arrays
 * @param {unknown} view
 */
function build(header, arrays, view) {
  const { alpha, ends, grids, verdict, words } = header;
  /** @type {Checks<ContrastState>} */
  const checks = { alpha: isShare, smooth: isFlag, pinned: patchIn(grids) };
  /** @type {ContrastState} */
  const first = { ...UNTOUCHED, scaling: 0, smooth: true, alpha };
  const store = createStore({ ...first, ...restored(view, checks) }, grids);
  const { title, subtitle, remark, scale } = header.map;
  const told = { title, subtitle, remark, outlines: header.outlines };
  const spec = { ...told, source: 0, values: arrays.values, scales: [scale] };
  const map = createMapPanel(header, { RdBu_r: arrays.RdBu_r }, spec, store);
  const names = ends.map((end) => element("span", {}, end));
  const numbers = map.node.querySelector(".numbers");
  numbers?.after(element("div", { className: "ends" }, ...names));
  const photo = createPhotoPanel(header, store);
  const units = header.parts.map((name) => ({ name, label: name, start: 0, stop: 1, pieces: "" }));
  const on = { preview: () => {}, toggle: () => {} };
  const ranking = createRanking(units, arrays.parts, on, header.ranking);
  const headline = element("p", { className: "verdict" }, verdict);
  const nodes = [headline, photo.node, map.node, ranking.node];
  const stage = createStage(header.summary, words.keys, store, {}, ...nodes);
  const print = createSmallPrint(words.help);
  print.write([...header.notes, ...header.dropped]);
  const says = (/** @type {ContrastState} */ state) => contrastStatus(header, map, state);
  return {
    nodes: [createControls(...createMapControls(store)), stage, ...print.nodes],
    store,
    checks,
    says,
    paint() {
      const { state } = store;
      print.show(state);
      stage.style.setProperty("--alpha", String(state.alpha));
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
 * For which text a patch speaks.
 * @param {Pick<ContrastHeader, "sides" | "words">} header
 * @param {Pick<MapPanel, "at">} map
 * @param {ContrastState} state
 */
export function contrastStatus({ sides, words }, map, state) {
  const cell = focused(state);
  if (!cell) return words.idle;
  const value = map.at(cell) ?? NaN;
  const pinned = showsPinned(state) ? words.pinned : "";
  const told = { row: cell.row, column: cell.column, pinned, value };
  if (!(Math.abs(value) > 0)) return fill(words.silent, told);
  return fill(words.speaks, { ...told, side: sides[value > 0 ? 0 : 1] });
}

export default startViewer("contrast_map", SENTENCE_STYLE + STYLE, build);
