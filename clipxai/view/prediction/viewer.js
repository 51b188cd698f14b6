// Where will the map be? Patches are painted, the map is revealed, and the overlap is counted.
// @ts-check
import { createControls, createMapControls } from "../browser/controls.js";
import { element } from "../browser/element.js";
import { below, isFlag, isShare, patchIn, restored } from "../browser/keep.js";
import { fill } from "../browser/number.js";
import { createMapPanel } from "../browser/panel.js";
import { createSmallPrint } from "../browser/small_print.js";
import { createStage } from "../browser/stage.js";
import { startViewer } from "../browser/start.js";
import { createStore, focused, UNTOUCHED } from "../browser/state.js";
import { createCanvas, edgesOf } from "./painting.js";

/** @import { Checks } from "../browser/keep.js" */
/** @import { MapSpec } from "../browser/panel.js" */
/** @import { PredictionArrays, PredictionHeader, PredictionState } from "./types.js" */

const STYLE = `
.prediction .panel { align-self: start; }
.prediction .canvas img { filter: none; }
.prediction .canvas .picture { touch-action: none; }
.prediction .covered :is(.readout, .bar, .numbers) { visibility: hidden; }
/* what is said after revealing is longer */
.prediction .story { min-height: 2.6em; }
@container (max-width: 640px) { .prediction .story { min-height: 3.9em; } }
.main {
  font: inherit; font-weight: 600; color: var(--page); background: var(--accent);
  border: 1px solid var(--accent); border-radius: 4px; padding: 2px 14px; min-height: 28px;
  cursor: pointer;
}
`;

/**
 * @param {PredictionHeader} header
 * @param {PredictionArrays} arrays
 * @param {unknown} view
 */
function build(header, arrays, view) {
  const { alpha, grids, words } = header;
  const isPatch = below(arrays.values.length);
  /** @type {Checks<PredictionState>} */
  const checks = {
    alpha: isShare,
    smooth: isFlag,
    pinned: patchIn(grids),
    revealed: isFlag,
    painted: (kept) => Array.isArray(kept) && kept.every(isPatch),
  };
  /** @type {PredictionState} */
  const first = { ...UNTOUCHED, scaling: 0, alpha, smooth: false, painted: [], revealed: false };
  const store = createStore({ ...first, ...restored(view, checks) }, grids);
  const canvas = createCanvas(header, arrays.values, store);
  const spec = () => specOf(header, arrays.values, store.state);
  const map = createMapPanel(header, { viridis: arrays.viridis }, spec(), store);
  const own = { " ": canvas.toggle, Enter: canvas.toggle };
  const stage = createStage(header.summary, words.keys, store, own, canvas.node, map.node);
  stage.style.setProperty("--columns", "2");
  stage.dataset.few = "";
  const reveal = element("button", { type: "button", className: "main" });
  reveal.addEventListener("click", () => {
    const { revealed } = store.state;
    store.set(revealed ? { revealed: false, painted: [] } : { revealed: true });
  });
  const controls = createControls(...createMapControls(store));
  controls.prepend(reveal);
  const print = createSmallPrint(words.help);
  print.write([...header.notes, ...header.dropped]);
  const says = (/** @type {PredictionState} */ state) => told(header, arrays.values, state);
  const here = (/** @type {PredictionState} */ state) => statusOf(header, arrays.values, state);
  return {
    nodes: [controls, stage, ...print.nodes],
    store,
    checks,
    story: says,
    says: (/** @type {PredictionState} */ state) =>
      focused(state) && !state.revealed ? here(state) : says(state),
    change(/** @type {PredictionState} */ now, /** @type {PredictionState} */ before) {
      if (now.revealed !== before.revealed) map.take(spec());
    },
    paint() {
      const { state } = store;
      print.show(state);
      stage.style.setProperty("--alpha", String(state.alpha));
      reveal.textContent = state.revealed ? words.again : words.reveal;
      map.node.classList.toggle("covered", !state.revealed);
      print.status.textContent = here(state);
      canvas.update(state);
      map.update(state);
    },
    draw() {
      canvas.draw(store.state);
      map.draw(store.state);
    },
  };
}

/**
 * The map, or what covers it.
 * @param {PredictionHeader} header
 * @param {Float32Array} values
 * @param {PredictionState} state
 * @returns {MapSpec}
 */
function specOf({ grids, map, words }, values, { painted, revealed }) {
  const { title, subtitle, scale } = map;
  const own = { title, subtitle, source: 0, scales: [scale] };
  if (!revealed) return { ...own, values: values.map(() => NaN), remark: words.covered };
  return { ...own, values, remark: "", outlines: edgesOf(painted, grids[0]) };
}

/**
 * How many of the painted patches are among as many of the highest, and which share of all that is
 * given they get.
 * @param {Float32Array} values not a number where a prediction does not count
 * @param {number[]} painted
 */
export function scoreOf(values, painted) {
  const known = [...values.keys()].filter((n) => !Number.isNaN(values[n]));
  const chosen = painted.filter((n) => !Number.isNaN(values[n]));
  const count = chosen.length;
  const highest = known.sort((a, b) => values[b] - values[a] || a - b).slice(0, count);
  const sum = (/** @type {number[]} */ of) => of.reduce((total, n) => total + values[n], 0);
  return {
    count,
    hits: chosen.filter((n) => highest.includes(n)).length,
    chance: count ** 2 / known.length,
    share: sum(chosen) / sum(known),
    even: count / known.length,
  };
}

/**
 * What is asked; once it is revealed, the score.
 * @param {Pick<PredictionHeader, "story" | "told" | "words">} header
 * @param {Float32Array} values
 * @param {Pick<PredictionState, "painted" | "revealed">} state
 */
function told({ story, told, words }, values, { painted, revealed }) {
  if (!revealed) return story;
  const score = scoreOf(values, painted);
  return score.count ? fill(told, score) : words.nothing;
}

/**
 * What is known of a patch; without one, how to paint.
 * @param {PredictionHeader} header
 * @param {Float32Array} values
 * @param {PredictionState} state
 */
function statusOf({ grids, words }, values, state) {
  const cell = focused(state);
  if (!cell) return state.revealed ? "" : words.idle;
  const n = cell.row * grids[0].width + cell.column;
  const painted = state.painted.includes(n) ? words.is_painted : words.not_painted;
  const value = state.revealed ? fill(words.value, { value: values[n] }) : "";
  return fill(words.here, { row: cell.row, column: cell.column, painted }) + value;
}

export default startViewer("prediction", STYLE, build);
