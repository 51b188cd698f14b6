// Attention or FFN: which of the two made the image match the text? Bars of every layer, the logit
// lens, and the maps of one layer.
// @ts-check
import {
  createControls,
  createMapControls,
  createSelect,
  createTextChips,
} from "../browser/controls.js";
import { paintMap } from "../browser/draw.js";
import { drawOutlines, OUTLINE_STYLE } from "../browser/outlines.js";
import { element, shape } from "../browser/element.js";
import { below, isFlag, isShare, patchIn, restored } from "../browser/keep.js";
import { fill } from "../browser/number.js";
import { createMapPanel } from "../browser/panel.js";
import { createPhotoPanel } from "../browser/picture.js";
import { createFold, createSmallPrint, createTableDetails } from "../browser/small_print.js";
import { createStage } from "../browser/stage.js";
import { startViewer } from "../browser/start.js";
import { clamp, createStore, focused, showsPinned, UNTOUCHED } from "../browser/state.js";
import { drawLanes, GUTTER, LANE_STYLE } from "./lanes.js";
import { lanesOf, lensOf, mapsOf, partsOf, shownLayer } from "./parts.js";

/** @import { Grid } from "../browser/interpolate.js" */
/** @import { Checks } from "../browser/keep.js" */
/** @import { Store } from "../browser/state.js" */
/** @import { ModuleArrays, ModuleHeader, ModuleState } from "./types.js" */

const STYLE = `
.module_comparison .stage {
  grid-template-columns: repeat(4, minmax(0, 1fr)); align-items: start; row-gap: 3px;
}
.module_comparison .panel { max-width: max(var(--wide), 150px); }
.module_comparison .chart, .module_comparison .lens { grid-column: 1 / -1; }
/* pictures stay level whatever is written above them */
.module_comparison .panel {
  grid-row: span 5; grid-template-rows: subgrid; align-self: stretch;
}
.module_comparison figcaption { align-self: end; }
.module_comparison .chip { max-width: 480px; }
.lens { display: grid; align-items: end; font-size: 12px; }
.lens > span { font-size: 13px; align-self: center; }
.thumb {
  font: inherit; font-size: 12px; line-height: 1.2; color: var(--quiet); background: none;
  border: 0;
  border-radius: 4px; padding: 0 6%; margin: 0; cursor: pointer; min-width: 0; overflow: hidden;
  text-align: center; align-self: end;
}
.thumb i {
  width: 100%; max-width: min(110px, max(34px, calc(0.3 * var(--wide)))); display: block;
  margin: 0 auto; position: relative;
}
.thumb canvas { width: 100%; display: block; image-rendering: pixelated; }
.thumb .outlines { height: 100%; }
.thumb[data-lit] {
  background: color-mix(in srgb, var(--accent) 16%, transparent); color: var(--text);
  font-weight: 600;
}
.many .wide { display: none; }
@container (max-width: 640px) {
  .lens .wide { display: none; }
  .module_comparison .stage { column-gap: 8px; }
  .module_comparison figcaption b { font-size: 13px; }
}
@container (max-width: 540px) {
  .module_comparison .readout { font-size: 12px; }
  .module_comparison .stage { grid-template-columns: repeat(4, minmax(0, 1fr)); gap: 10px 8px; }
}
@container (max-width: 480px) {
  .module_comparison .stage { grid-template-columns: repeat(2, minmax(0, 1fr)); }
}
`;
const UPPER = 2; // lanes above the maps: what attention adds, and the FFN
const FEW = 14; // layers whose names fit below their small maps

/**
 * @param {ModuleHeader} header
 * @param {ModuleArrays} arrays
 * @param {unknown} view
 */
function build(header, arrays, view) {
  /** @type {ModuleState} */
  const first = {
    ...UNTOUCHED,
    scaling: 0,
    alpha: header.alpha,
    smooth: true,
    text: 0,
    layer: header.layer,
    preview: null,
  };
  /** @type {Checks<ModuleState>} */
  const checks = {
    text: below(header.texts.length),
    layer: below(header.layers),
    scaling: below(header.scalings.length),
    alpha: isShare,
    smooth: isFlag,
    pinned: patchIn(header.grids),
  };
  const store = createStore({ ...first, ...restored(view, checks) }, header.grids);
  const parts = createParts(header, arrays, store);
  const change = (/** @type {ModuleState} */ now, /** @type {ModuleState} */ before) => {
    if (now.text !== before.text || now.scaling !== before.scaling) parts.rebuild();
    else if (shownLayer(now) !== shownLayer(before)) parts.swap();
  };
  const says = (/** @type {ModuleState} */ state) => moduleStatus(header, arrays, state);
  return { ...parts, store, checks, change, says };
}

/**
 * `rebuild` after another text or scale, `swap` after another layer, `paint` after anything; `draw`
 * also what only time or size can spoil.
 * @param {ModuleHeader} header
 * @param {ModuleArrays} arrays
 * @param {Store<ModuleState>} store
 */
function createParts(header, arrays, store) {
  const { words, layers } = header;
  const step = (/** @type {number} */ by) => () =>
    store.set({ preview: null, layer: clamp(shownLayer(store.state) + by, layers) });
  const [chart, lower] = ["chart", "lower"].map((name) => createChart(header, store, name));
  const more = createFold(words.lower, element("div", {}, lower));
  more.addEventListener("toggle", () => paint());
  const lens = element("div", { className: "lens" });
  lens.classList.toggle("many", layers > FEW);
  lens.style.gridTemplateColumns = `${GUTTER}px repeat(${layers + 2}, minmax(0, 1fr))`;
  const photo = createPhotoPanel(header, store);
  const maps = mapsOf(header, arrays, store.state).map((spec) =>
    createMapPanel(header, { RdBu_r: arrays.RdBu_r }, spec, store),
  );
  const children = [chart, lens, photo.node, ...maps.map(({ node }) => node)];
  const keys = { "[": step(-1), "]": step(1) };
  const stage = createStage(header.summary, words.keys, store, keys, ...children);
  const print = createSmallPrint(words.help);
  const table = createTableDetails(words.table, () => header.tables[store.state.text]);
  const chips = createTextChips(header.texts, (text) => store.set({ text }));
  const scaling = createSelect("maps", header.scalings, store.state.scaling, (scaling) =>
    store.set({ scaling }),
  );
  const controls = createControls(chips.bar, scaling, ...createMapControls(store));
  /** @type {HTMLElement[]} */
  let thumbs = [];
  const swap = () => {
    const specs = mapsOf(header, arrays, store.state);
    maps.forEach((map, n) => map.take(specs[n]));
    print.write([...captionsOf(header, store.state), ...header.dropped]);
  };
  const outline = () => {
    const lines = header.outlines[store.state.text];
    if (!lines.length) return;
    for (const canvas of lens.querySelectorAll("canvas.outlines")) {
      const over = /** @type {HTMLCanvasElement} */ (canvas);
      drawOutlines(over, lines, header.grids[0], header.grids[0], [[0, 0]]);
    }
  };
  const paint = () => {
    const { state } = store;
    chips.show(state.text);
    print.show(state);
    stage.style.setProperty("--alpha", String(state.alpha));
    print.status.textContent = moduleStatus(header, arrays, state);
    const column = shownLayer(state) + 1;
    thumbs.forEach((thumb, n) => thumb.toggleAttribute("data-lit", n === column));
    const lanes = lanesOf(header, arrays, state);
    drawLanes(chart, lanes.slice(0, UPPER), layers + 2, column, lanes);
    if (more.open) drawLanes(lower, lanes.slice(UPPER), layers + 2, column, lanes);
    photo.update(state);
    for (const map of maps) map.update(state);
  };
  return {
    nodes: [controls, stage, print.status, print.help, more, print.caption, table.details],
    story: (/** @type {ModuleState} */ { text }) => header.stories[text],
    swap,
    paint,
    rebuild() {
      thumbs = createThumbs(header, arrays, store);
      const bias = element("span", { className: "thumb wide" }, words.bias);
      lens.replaceChildren(element("span", {}, words.lens), ...thumbs, bias);
      outline();
      table.show();
      swap();
    },
    draw() {
      photo.draw(store.state);
      for (const map of maps) map.draw(store.state);
      outline();
      paint();
    },
  };
}

/**
 * The bars' drawing area; a column under the pointer is a layer.
 * @param {ModuleHeader} header
 * @param {Store<ModuleState>} store
 * @param {string} name
 */
function createChart({ layers, words }, store, name) {
  const chart = shape("svg", { class: `lanes ${name}`, role: "img", "aria-label": words.chart });
  const layerAt = (/** @type {MouseEvent} */ event) => {
    const box = chart.getBoundingClientRect();
    const across = (event.clientX - box.left - GUTTER) / (box.width - GUTTER);
    const column = Math.floor(across * (layers + 2));
    return column >= 1 && column <= layers ? column - 1 : null;
  };
  let last = /** @type {number | null} */ (null);
  const preview = (/** @type {number | null} */ layer) => {
    if (layer !== last) store.set({ preview: layer });
    last = layer;
  };
  chart.addEventListener("pointermove", (event) => preview(layerAt(event)));
  chart.addEventListener("pointerleave", () => preview(null));
  chart.addEventListener("click", (event) => {
    const layer = layerAt(event);
    if (layer !== null) store.set({ layer });
  });
  return chart;
}

/**
 * Small maps of the logit lens, below the columns they belong to.
 * @param {ModuleHeader} header
 * @param {ModuleArrays} arrays
 * @param {Store<ModuleState>} store
 */
function createThumbs(header, arrays, store) {
  const { grids, words, lens_titles, diverging } = header;
  const { height, width } = grids[0];
  /** @type {Grid} */
  const whole = { height, width, box: [0, 0, height, width], image_size: [height, width] };
  return lens_titles[store.state.text].map((title, n) => {
    const { values, scale } = lensOf(header, arrays, store.state, n);
    const canvas = element("canvas", { width, height });
    paintMap(canvas, values, whole, scale, arrays[diverging], false);
    const layer = Math.max(n - 1, 0);
    const known = header.outlines[store.state.text].length > 0;
    const lines = known ? [element("canvas", { className: "outlines" })] : [];
    return element(
      "button",
      {
        type: "button",
        className: "thumb",
        tabIndex: -1,
        title,
        onclick: () => store.set({ layer }),
        onpointerenter: () => store.set({ preview: n ? layer : null }),
        onpointerleave: () => store.set({ preview: null }),
      },
      element("i", {}, canvas, ...lines),
      element("span", { className: "wide" }, n ? `${words.layer} ` : words.embedding),
      n ? String(layer) : "",
    );
  });
}

/**
 * What the shown layer did, in a line.
 * @param {ModuleHeader} header
 * @param {ModuleArrays} arrays
 * @param {ModuleState} state
 */
export function moduleStatus(header, arrays, state) {
  const { words, selections } = header;
  const layer = shownLayer(state);
  const { attention, ffn, sums, patch } = partsOf(header, arrays, state);
  const cell = focused(state);
  if (cell && patch) {
    return fill(words.at_patch, {
      layer,
      row: cell.row,
      column: cell.column,
      pinned: showsPinned(state) ? words.pinned : "",
      attention: patch.attention[layer],
      ffn: patch.ffn[layer],
      cosine: patch.similarity,
    });
  }
  return fill(words.status, {
    layer,
    attention: attention[layer],
    ffn: ffn[layer],
    sum: sums[layer + 1],
    attention_alignment: arrays.attention_alignment[layer],
    ffn_alignment: arrays.ffn_alignment[layer],
    selection: selections[state.text]?.told[layer] ?? "",
  });
}

/**
 * @param {ModuleHeader} header
 * @param {ModuleState} state
 */
export function captionsOf({ scales, captions }, state) {
  const { low, high } = scales[state.text].layers[shownLayer(state)];
  return captions[state.text][state.scaling].map((line) => fill(line, { low, high }));
}

export default startViewer("module_comparison", OUTLINE_STYLE + LANE_STYLE + STYLE, build);
