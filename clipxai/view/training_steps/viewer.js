// What does a map become while a model learns? A slider moves a mark on the curves, and the maps
// are those of its step.
// @ts-check
import { createControls, createMapControls } from "../browser/controls.js";
import { element } from "../browser/element.js";
import { below, isFlag, isShare, patchIn, restored } from "../browser/keep.js";
import { fill } from "../browser/number.js";
import { createMapPanel } from "../browser/panel.js";
import { createPhotoPanel } from "../browser/picture.js";
import { createSmallPrint } from "../browser/small_print.js";
import { createStage } from "../browser/stage.js";
import { startViewer } from "../browser/start.js";
import { clamp, createStore, focused, showsPinned, UNTOUCHED } from "../browser/state.js";
import { CHART_STYLE, createChart } from "./chart.js";

/** @import { Checks } from "../browser/keep.js" */
/** @import { MapSpec } from "../browser/panel.js" */
/** @import { TrainingArrays, TrainingHeader, TrainingState } from "./types.js" */

const STYLE = `
.training_steps .panel { align-self: start; }
.training_steps .stage {
  align-items: start;
  grid-template-columns:
    repeat(calc(var(--columns) - 1), minmax(0, max(var(--wide), 130px))) minmax(200px, 1fr);
}
.training_steps .photo figcaption span { display: none; }
@container (max-width: 860px) {
  .training_steps .way { font-size: 13px; }
  .training_steps .numbers span:nth-child(2):not(:last-child) { display: none; }
}
@container (max-width: 640px) { .training_steps .readout { min-height: 40px; } }
@container (max-width: 540px) {
  .training_steps .stage { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .training_steps .beside { grid-column: 1 / -1; }
}
.scrub { display: flex; align-items: center; gap: 10px; font-size: 14px; font-weight: 600; }
.scrub output { white-space: nowrap; }
.scrub input { flex: 1 1 auto; min-height: 24px; margin: 0; accent-color: var(--chosen); }
`;

/**
 * @param {TrainingHeader} header
 * @param {TrainingArrays} arrays
 * @param {unknown} view
 */
function build(header, arrays, view) {
  const { alpha, grids, maps, notes, steps, words } = header;
  /** @type {Checks<TrainingState>} */
  const checks = {
    alpha: isShare,
    smooth: isFlag,
    pinned: patchIn(grids),
    step: below(steps.length),
  };
  /** @type {TrainingState} */
  const first = { ...UNTOUCHED, scaling: 0, alpha, smooth: true, step: header.step };
  const store = createStore({ ...first, ...restored(view, checks) }, grids);
  const go = (/** @type {number} */ step) => store.set({ step: clamp(step, steps.length) });
  const photo = createPhotoPanel(header, store);
  const panels = maps.map((_, n) => {
    const tables = { viridis: arrays.viridis };
    return createMapPanel(header, tables, specOf(header, arrays, n, store.state.step), store);
  });
  const chart = createChart(header, arrays.curves, go);
  const slider = element("input", { type: "range", min: "0", max: String(steps.length - 1) });
  slider.setAttribute("aria-label", words.step);
  slider.addEventListener("input", () => go(slider.valueAsNumber));
  const named = element("output");
  const scrub = element("label", { className: "scrub" }, named, slider);
  const nodes = [photo, ...panels].map(({ node }) => node);
  const keys = { "[": () => go(store.state.step - 1), "]": () => go(store.state.step + 1) };
  const all = [...nodes, element("div", { className: "beside" }, chart.node, scrub)];
  const stage = createStage(header.summary, words.keys, store, keys, ...all);
  stage.style.setProperty("--columns", String(1 + nodes.length));
  const print = createSmallPrint(words.help);
  print.write([...notes, ...header.dropped]);
  const says = (/** @type {TrainingState} */ state) => statusOf(header, panels, state);
  return {
    nodes: [createControls(...createMapControls(store)), stage, ...print.nodes],
    store,
    checks,
    says: (/** @type {TrainingState} */ state) =>
      focused(state) ? says(state) : header.stories[state.step],
    story: (/** @type {TrainingState} */ { step }) => header.stories[step],
    change(/** @type {TrainingState} */ now, /** @type {TrainingState} */ before) {
      if (now.step === before.step) return;
      panels.forEach((panel, n) => panel.take(specOf(header, arrays, n, now.step)));
    },
    paint() {
      const { state } = store;
      print.show(state);
      stage.style.setProperty("--alpha", String(state.alpha));
      named.textContent = fill(words.now, { step: steps[state.step] });
      slider.value = String(state.step);
      slider.setAttribute("aria-valuetext", named.textContent);
      print.status.textContent = says(state);
      chart.mark(state.step);
      photo.update(state);
      for (const panel of panels) panel.update(state);
    },
    draw() {
      chart.draw();
      chart.mark(store.state.step);
      photo.draw(store.state);
      for (const panel of panels) panel.draw(store.state);
    },
  };
}

/**
 * A map at a step.
 * @param {Pick<TrainingHeader, "maps" | "outlines">} header
 * @param {TrainingArrays} arrays
 * @param {number} n
 * @param {number} step
 * @returns {MapSpec}
 */
function specOf({ maps, outlines }, arrays, n, step) {
  const { name, scales, verdicts, told, remarks } = maps[n];
  const values = arrays[`map${n}`];
  const size = values.length / scales.length;
  return {
    title: name,
    subtitle: "",
    source: 0,
    values: values.subarray(step * size, (step + 1) * size),
    scales: [scales[step]],
    verdict: verdicts[step],
    told: told[step],
    remark: remarks[step],
    outlines,
  };
}

/**
 * What every map has at the patch in view.
 * @param {TrainingHeader} header
 * @param {ReturnType<typeof createMapPanel>[]} panels
 * @param {TrainingState} state
 */
function statusOf({ maps, words }, panels, state) {
  const cell = focused(state);
  if (!cell) return "\u00a0";
  const read = panels.map((panel, n) => `${maps[n].name} ${panel.read(cell)}`);
  return `${fill(words.place, cell)}${showsPinned(state) ? words.pinned : ""}: ${read.join("; ")}`;
}

export default startViewer("training_steps", STYLE + CHART_STYLE, build);
