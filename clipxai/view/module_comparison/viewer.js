// Attention or FFN: which of the two made the image match the text? Bars of every layer, the logit lens, and the maps of one layer.
// @ts-check
import {
  bringToLife,
  createMapControls,
  createPlainTable,
  createSelect,
  createStage,
  createTableDetails,
  viewerOf,
} from "../browser/controls.js";
import { unpack } from "../browser/decode.js";
import { paintMap } from "../browser/draw.js";
import { drawLanes, GUTTER, LANE_STYLE, shape } from "./lanes.js";
import { below, isFlag, isShare, patchIn, restored } from "../browser/keep.js";
import { asMaps, createMapPanel, createPhotoPanel, isFlat } from "../browser/panel.js";
import { ratiosOf, selectionLane, selectionLine } from "./selection.js";
import { createChips, element, titleOf } from "../browser/shell.js";
import { clamp, createStore, focused, sameCell } from "../browser/state.js";
import { format, signed, twoDigits } from "../browser/number.js";

const HELP =
  "Move over a column to see that layer's maps, click to keep it. Move over a patch to read it; marks across the bars then " +
  "show the parts of that patch's own cosine. Click pins a patch, Esc unpins it. Keys: arrows move by one patch, [ and ] by one layer, " +
  "Space pins, ? shows this line.";
const STYLE = `
.modules .stage { grid-template-columns: repeat(4, minmax(0, 1fr)); align-items: start; }
.modules .chart, .modules .lens { grid-column: 1 / -1; }
.modules .panel { grid-template-rows: auto auto 8px 18px 0 18px; align-self: start; }
.lens { display: grid; align-items: end; font-size: 12px; margin-top: -8px; }
.lens > span { font-size: 13px; align-self: center; }
.thumb { font: inherit; font-size: 11.5px; color: var(--quiet); background: none; border: 0; border-radius: 4px; padding: 0 6%; margin: 0; }
.thumb { cursor: pointer; min-width: 0; overflow: hidden; text-align: center; align-self: end; }
.modules .chip { max-width: 480px; }
.thumb canvas { width: 100%; max-width: 110px; display: block; margin: 0 auto; image-rendering: pixelated; }
.thumb[data-lit] { background: color-mix(in srgb, var(--accent) 16%, transparent); color: var(--text); font-weight: 600; }
.many .wide { display: none; }
@container (max-width: 720px) { .lens .wide { display: none; } .modules .readout { font-size: 12px; } }
@container (max-width: 720px) { .modules .stage { grid-template-columns: repeat(2, minmax(0, 1fr)); } }
`;
const DIVERGING = "RdBu_r";
const FEW = 14; // layers whose names fit below their small maps

/** @param {any} model @param {HTMLElement} el @returns {() => void} */
function buildModules(model, el) {
  const payload = model.get("payload");
  const { header } = payload;
  const arrays = unpack(payload);
  const { layer } = header;
  const first = {
    hover: null,
    pinned: null,
    help: false,
    scaling: 0,
    alpha: 0.6,
    smooth: true,
    text: 0,
    layer,
    preview: null,
  };
  const checks = {
    text: below(header.texts.length),
    layer: below(header.layers),
    scaling: below(header.scalings.length),
    alpha: isShare,
    smooth: isFlag,
    pinned: patchIn(header.grids),
  };
  const store = createStore({ ...first, ...restored(model.get("view"), checks) }, header.grids);
  const parts = createModuleParts(header, arrays, store);
  const change = (/** @type {any} */ now, /** @type {any} */ before) => {
    if (now.text !== before.text || now.scaling !== before.scaling) parts.rebuild();
    else if (shownLayer(now) !== shownLayer(before)) parts.swap();
  };
  const says = (/** @type {any} */ state) => moduleStatus(header, arrays, state);
  return bringToLife(model, el, {
    name: "modules",
    css: LANE_STYLE + STYLE,
    store,
    checks,
    ...parts,
    change,
    says,
  });
}

/** The layer whose maps are shown. @param {any} state @returns {number} */
export function shownLayer(state) {
  return state.preview ?? state.layer;
}

/**
 * Everything of the figure. `rebuild` after another text or scale, `swap` after another layer, `paint` after anything; `draw` also what
 * only time or size can spoil.
 * @param {any} header @param {Record<string, any>} arrays @param {any} store
 */
function createModuleParts(header, arrays, store) {
  const set = (/** @type {object} */ values) => store.dispatch({ type: "set", values });
  const step = (/** @type {number} */ by) =>
    set({ preview: null, layer: clamp(shownLayer(store.state) + by, header.layers) });
  const chart = createChart(header, set);
  const lens = element("div", { className: "lens" });
  const keys =
    "Arrow keys move over the patches, brackets over the layers, Space pins, question mark helps.";
  const stage = createStage(
    header.summary,
    keys,
    store,
    { "[": () => step(-1), "]": () => step(1) },
    chart,
    lens,
  );
  const status = element("div", { className: "status" });
  const caption = element("div", { className: "caption" });
  const help = element("p", { className: "help", hidden: true }, HELP);
  const table = createTableDetails("Table: all layers", () =>
    createLayerTable(header, arrays, store.state.text),
  );
  const choices = header.texts.map((/** @type {string} */ name, /** @type {number} */ value) => ({
    name,
    value,
  }));
  const chips = createChips("text", choices, (text) => set({ text }));
  const photo = createPhotoPanel(header, store);
  /** @type {any[]} */ let panels = [];
  /** @type {any[]} */ let thumbs = [];
  const parts = {
    nodes: [
      element(
        "div",
        { className: "controls" },
        chips.bar,
        createSelect("maps", header.scalings, store.state.scaling, (scaling) => set({ scaling })),
        ...createMapControls(store),
      ),
      stage,
      status,
      help,
      caption,
      table.details,
    ],
    rebuild() {
      const { state } = store;
      thumbs = createThumbs(header, arrays, state, set);
      lens.classList.toggle("many", header.layers > FEW);
      lens.style.gridTemplateColumns = `${GUTTER}px repeat(${header.layers + 2}, minmax(0, 1fr))`;
      lens.replaceChildren(
        element("span", {}, "map if it stopped here"),
        ...thumbs,
        element("span", { className: "thumb wide" }, "bias"),
      );
      table.show();
      parts.swap();
    },
    swap() {
      const { state } = store;
      const view = layerView(header, arrays, state);
      panels = [
        photo,
        ...view.header.panels.map((_, n) => createMapPanel(view.header, view.arrays, n, store)),
      ];
      stage.replaceChildren(chart, lens, ...panels.map((panel) => panel.node));
      for (const panel of panels) panel.draw(state);
      caption.replaceChildren(
        ...[...captionsOf(header, state), ...header.dropped].map((line) => element("p", {}, line)),
      );
    },
    paint() {
      const { state } = store;
      chips.show(state.text);
      help.hidden = !state.help;
      stage.style.setProperty("--alpha", String(state.alpha));
      status.textContent = moduleStatus(header, arrays, state);
      thumbs.forEach((thumb, n) => thumb.toggleAttribute("data-lit", n === shownLayer(state) + 1));
      drawLanes(chart, lanesOf(header, arrays, state), header.layers + 2, shownLayer(state) + 1);
      for (const panel of panels) panel.update(state);
    },
    draw() {
      for (const panel of panels) panel.draw(store.state);
      if (panels.length) parts.paint();
    },
  };
  return parts;
}

/** The bars' drawing area; a column under the pointer is a layer. @param {any} header @param {(values: object) => void} set */
function createChart(header, set) {
  const named = "what each layer added; the same numbers are in the table below";
  const chart = shape("svg", { class: "lanes chart", role: "img", "aria-label": named });
  const layerAt = (/** @type {PointerEvent} */ event) => {
    const box = chart.getBoundingClientRect();
    const column = Math.floor(
      ((event.clientX - box.left - GUTTER) / (box.width - GUTTER)) * (header.layers + 2),
    );
    return column >= 1 && column <= header.layers ? column - 1 : null;
  };
  let last = /** @type {number | null} */ (null);
  const preview = (/** @type {number | null} */ layer) => {
    if (layer !== last) set({ preview: layer });
    last = layer;
  };
  chart.addEventListener("pointermove", (/** @type {PointerEvent} */ event) =>
    preview(layerAt(event)),
  );
  chart.addEventListener("pointerleave", () => preview(null));
  chart.addEventListener("click", (/** @type {PointerEvent} */ event) => {
    const layer = layerAt(event);
    if (layer !== null) set({ layer });
  });
  return chart;
}

/**
 * Small maps of the logit lens, below the columns they belong to.
 * @param {any} header @param {Record<string, any>} arrays @param {any} state @param {(values: object) => void} set
 */
function createThumbs(header, arrays, state, set) {
  const grid = header.grids[0];
  const size = grid.height * grid.width;
  const whole = {
    ...grid,
    box: [0, 0, grid.height, grid.width],
    image_size: [grid.height, grid.width],
  };
  return Array.from({ length: header.layers + 1 }, (_, n) => {
    const start = (n * header.texts.length + state.text) * size;
    const values = arrays.lens.subarray(start, start + size);
    const known = values.filter(Number.isFinite);
    const own = Math.max(...known.map(Math.abs), 0);
    const high = state.scaling ? own : header.reaches[state.text].lens;
    const canvas = element("canvas", { width: grid.width, height: grid.height });
    paintMap(
      canvas,
      values,
      whole,
      { low: -high, high, colours: DIVERGING },
      arrays[DIVERGING],
      false,
    );
    const range = known.length
      ? `${format(Math.min(...known))} to ${format(Math.max(...known))}`
      : "not a number";
    const layer = Math.max(n - 1, 0);
    return element(
      "button",
      {
        type: "button",
        className: "thumb",
        tabIndex: -1,
        title: `after ${n ? `layer ${n - 1}` : "the embedding"}: cosines from ${range}`,
        onclick: () => set({ layer }),
        onpointerenter: () => set({ preview: n ? layer : null }),
        onpointerleave: () => set({ preview: null }),
      },
      canvas,
      element("span", { className: "wide" }, n ? "layer " : "embedding"),
      n ? String(n - 1) : "",
    );
  });
}

/**
 * Attention, FFN and their difference of a layer, with the scale they share, as panels know them.
 * @param {any} header @param {Record<string, any>} arrays @param {any} state
 */
export function layerView(header, arrays, state) {
  const layer = shownLayer(state);
  const size = header.grids[0].height * header.grids[0].width;
  const start = (layer * header.texts.length + state.text) * size;
  const attention = arrays.attention.subarray(start, start + size);
  const ffn = arrays.ffn.subarray(start, start + size);
  const maps0 = new Float32Array(3 * size);
  maps0.set(attention);
  maps0.set(ffn, size);
  for (let i = 0; i < size; i++) maps0[2 * size + i] = attention[i] - ffn[i];
  const { all, layers } = header.reaches[state.text];
  const span = (/** @type {number} */ high) => ({
    scales: Array(3).fill({ low: -high, high, colours: DIVERGING }),
  });
  const titles = [`layer ${layer}: attention`, `layer ${layer}: FFN`, "attention − FFN"].map(
    (text, row) => {
      const values = maps0.subarray(row * size, (row + 1) * size);
      const known = values.filter(Number.isFinite);
      const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
      return { text, subtitle: `mean over patches ${format(mean)}`, flat: isFlat(values) };
    },
  );
  return asMaps(header, arrays, maps0, titles, [span(all), span(layers[layer])]);
}

/**
 * The numbers of one text: of the class token, and of the patch in view if there is one.
 * @param {any} header @param {Record<string, any>} arrays @param {any} state
 */
export function partsOf(header, arrays, state) {
  const T = header.texts.length;
  const { height, width } = header.grids[0];
  const [P, N] = [height * width, height * width + 1];
  const cell = focused(state);
  const patch = cell ? cell.row * width + cell.column : null;
  const range = Array.from({ length: header.layers }, (_, n) => n);
  const ofPatch = (/** @type {Float32Array} */ values) =>
    range.map((n) => values[(n * T + state.text) * P + (patch ?? 0)]);
  const at = (/** @type {Float32Array} */ values, /** @type {number} */ token) =>
    values[state.text * N + token];
  return {
    attention: range.map((n) => arrays.class_attention[n * T + state.text]),
    ffn: range.map((n) => arrays.class_ffn[n * T + state.text]),
    embedding: at(arrays.embedding, 0),
    bias: at(arrays.bias, 0),
    similarity: at(arrays.similarity, 0),
    sums: Array.from(
      arrays.cumulative.subarray(
        state.text * (header.layers + 2),
        (state.text + 1) * (header.layers + 2),
      ),
    ),
    patch:
      patch === null
        ? null
        : {
            attention: ofPatch(arrays.attention),
            ffn: ofPatch(arrays.ffn),
            embedding: at(arrays.embedding, patch + 1),
            bias: at(arrays.bias, patch + 1),
            similarity: at(arrays.similarity, patch + 1),
          },
  };
}

/** @param {any} header @param {Record<string, any>} arrays @param {any} state @returns {any[]} */
function lanesOf(header, arrays, state) {
  const { attention, ffn, embedding, bias, sums, patch } = partsOf(header, arrays, state);
  const cell = focused(state);
  const reach = patch ? header.reaches[state.text].parts : []; // of all patches, so that bars keep still while the pointer moves on
  const none = Array(header.layers).fill(null);
  const inner = (/** @type {any} */ values) => values && [null, ...values, null];
  return [
    {
      name: "attention adds",
      bars: inner(attention),
      marks: patch && inner(patch.attention),
      share: "parts",
      reach,
    },
    { name: "FFN adds", bars: inner(ffn), marks: patch && inner(patch.ffn), share: "parts" },
    {
      name: "embedding, bias",
      bars: [embedding, ...none, bias],
      marks: patch && [patch.embedding, ...none, patch.bias],
      share: "parts",
      text:
        cell && patch
          ? `marks: row ${cell.row}, column ${cell.column}, whose cosine is ${format(patch.similarity)}`
          : header.closures[state.text],
    },
    { name: "sum so far", lines: [{ values: sums }] },
    {
      name: "alignment",
      lines: [
        { values: inner(Array.from(arrays.attention_alignment)), name: "attention" },
        { values: inner(Array.from(arrays.ffn_alignment)), name: "FFN" },
      ],
    },
    ...selectionLane(header, ratiosOf(header, arrays, state.text), state.text),
  ];
}

/** What the shown layer did, in a line. @param {any} header @param {Record<string, any>} arrays @param {any} state @returns {string} */
export function moduleStatus(header, arrays, state) {
  const layer = shownLayer(state);
  const { attention, ffn, sums, patch } = partsOf(header, arrays, state);
  const cell = focused(state);
  if (cell && patch) {
    const pinned = sameCell(cell, state.pinned) ? " (pinned, Esc unpins)" : "";
    const shares = `attention ${signed(patch.attention[layer])}, FFN ${signed(patch.ffn[layer])}`;
    return `layer ${layer}, row ${cell.row}, column ${cell.column}${pinned}: ${shares} of this patch's cosine ${format(patch.similarity)}`;
  }
  const alignments = `alignment ${format(arrays.attention_alignment[layer])} and ${format(arrays.ffn_alignment[layer])}`;
  const shares = `attention ${signed(attention[layer])}, FFN ${signed(ffn[layer])}`;
  const selects = selectionLine(header, ratiosOf(header, arrays, state.text), layer);
  return `layer ${layer}, class token: ${shares}; sum so far ${format(sums[layer + 1])}; ${alignments}${selects}`;
}

/** @param {any} header @param {any} state @returns {string[]} */
export function captionsOf(header, state) {
  const { all, layers, lens } = header.reaches[state.text];
  const { captions } = header;
  const ends = (/** @type {number} */ high) =>
    `from ${format(-high)} to ${format(high)}, zero in the middle: red above, blue below.`;
  const own = "each map on its own scale, zero in the middle: red above, blue below.";
  const selection = header.selections[state.text];
  return [
    captions.bars,
    captions.alignment,
    ...(selection ? [selection.caption] : []),
    `${captions.lens}; ${state.scaling ? own : `one scale for all layers, ${ends(lens)}`}`,
    `${captions.maps}; ${
      state.scaling
        ? `this layer's scale, ${ends(layers[shownLayer(state)])}`
        : `one scale for all layers, ${ends(all)}`
    }`,
    `${captions.exact} ${header.largest}`,
  ];
}

/** @param {any} header @param {Record<string, any>} arrays @param {number} text */
function createLayerTable(header, arrays, text) {
  const { attention, ffn, embedding, bias, sums, similarity } = partsOf(header, arrays, {
    text,
    hover: null,
    pinned: null,
  });
  const ratios = ratiosOf(header, arrays, text);
  const rows = attention.map((value, n) => [
    `layer ${n}`,
    signed(value),
    signed(ffn[n]),
    format(sums[n + 1]),
    format(arrays.attention_alignment[n]),
    format(arrays.ffn_alignment[n]),
    ...ratios.map((values) => twoDigits(values[n])),
  ]);
  const title = `“${titleOf(header.texts[text])}”: embedding ${signed(embedding)}, bias ${signed(bias)}, cosine ${format(similarity)}`;
  const head = ["", "attention", "FFN", "sum so far", "attention alignment", "FFN alignment"];
  return createPlainTable(
    title,
    [...head, ...ratios.map((_, k) => `${header.kinds[k]} selection ratio`)],
    rows,
  );
}

export default viewerOf(buildModules);
