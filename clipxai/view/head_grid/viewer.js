// Which attention head fetched the answer, and from where? Layers and heads as a grid of signed
// shares, and the maps of what was fetched.
// @ts-check
import { createControls, createMapControls, createSelect } from "../browser/controls.js";
import { createChips, createTextChips } from "../browser/controls.js";
import { element } from "../browser/element.js";
import { below, isFlag, isShare, patchIn, restored } from "../browser/keep.js";
import { fill } from "../browser/number.js";
import { createMapPanel } from "../browser/panel.js";
import { createSmallPrint, createTableDetails } from "../browser/small_print.js";
import { createStage } from "../browser/stage.js";
import { startViewer } from "../browser/start.js";
import { clamp, createStore, focused, showsPinned, UNTOUCHED } from "../browser/state.js";
import { createGrid } from "./grid.js";
import { createFetched, messageOf, MESSENGER_STYLE, written } from "./messenger.js";

/** @import { Scale } from "../browser/interpolate.js" */
/** @import { Checks } from "../browser/keep.js" */
/** @import { MapSpec } from "../browser/panel.js" */
/** @import { Store } from "../browser/state.js" */
/** @import { HeadArrays, HeadGridHeader, HeadState } from "./types.js" */

const STYLE = `
.head_grid .stage {
  grid-template-columns: repeat(3, minmax(0, max(var(--wide), var(--least, 170px))));
  align-items: start; row-gap: 3px;
}
.head_grid .panel { grid-row: span 5; grid-template-rows: subgrid; align-self: stretch; }
.head_grid figcaption { align-self: end; }
.head_grid .grid { grid-column: 1 / -1; display: grid; gap: 1px; margin-top: 10px; }
.grid { font-size: 12px; font-variant-numeric: tabular-nums; }
.grid span {
  text-align: center; white-space: nowrap; overflow: hidden; line-height: 21px; min-height: 21px;
}
.grid .name { text-align: left; font-size: 12px; color: var(--quiet); }
.grid .tick { color: var(--quiet); }
.grid [data-head] { cursor: pointer; }
.grid .bias { margin-top: 5px; }
.grid [data-shown] { outline: 2px solid var(--chosen); outline-offset: -1px; z-index: 1; }
.few { color: transparent !important; }
@container (max-width: 540px) {
  .head_grid .stage { grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 10px 8px; }
}
@container (max-width: 430px) {
  .head_grid .stage { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .head_grid .photo { display: none; }
}
/* what the numbers need less on a low screen, the maps get */
@media (max-height: 700px) {
  .head_grid .stage { row-gap: 0; --least: 264px; }
  .head_grid .grid { margin-top: 0; } .grid .bias { margin-top: 3px; }
  .grid span { line-height: 17px; min-height: 17px; }
  .head_grid .stage:not(.messenger) figcaption { display: flex; flex-wrap: wrap; gap: 0 8px; }
  .stage:not(.messenger) figcaption :is(b, span) { flex: none; max-width: 100%; line-height: 18px; }
}
${MESSENGER_STYLE}
`;

/**
 * @param {HeadGridHeader} header
 * @param {HeadArrays} arrays
 * @param {unknown} view
 */
function build(header, arrays, view) {
  const [layer, head] = header.head;
  /** @type {HeadState} */
  const first = {
    ...UNTOUCHED,
    scaling: 0,
    alpha: header.alpha,
    smooth: true,
    text: 0,
    at: layer * header.heads + head,
    preview: null,
    messenger: false,
  };
  /** @type {Checks<HeadState>} */
  const checks = {
    text: below(header.texts.length),
    at: below(header.layers * header.heads),
    scaling: below(header.scalings.length),
    alpha: isShare,
    smooth: isFlag,
    messenger: (value) => isFlag(value) && header.messages.length > 0,
    pinned: patchIn(header.grids),
  };
  const store = createStore({ ...first, ...restored(view, checks) }, header.grids);
  const parts = createParts(header, arrays, store);
  const change = (/** @type {HeadState} */ now, /** @type {HeadState} */ before) => {
    if (now.text !== before.text) parts.rebuild();
    else if (shownHead(now) !== shownHead(before) || now.messenger !== before.messenger) {
      parts.swap();
    }
  };
  const says = (/** @type {HeadState} */ state) => headStatus(header, arrays, state);
  const reflows = (/** @type {HeadState} */ now, /** @type {HeadState} */ before) =>
    now.messenger !== before.messenger;
  return { ...parts, store, checks, change, reflows, says };
}

/**
 * The head whose map is shown.
 * @param {HeadState} state
 */
export function shownHead(state) {
  return state.preview ?? state.at;
}

/**
 * @param {Pick<HeadGridHeader, "heads">} header
 * @param {HeadState} state
 */
function headOf({ heads }, state) {
  const at = shownHead(state);
  return { layer: Math.floor(at / heads), head: at % heads };
}

/**
 * `rebuild` after another text, `swap` after another head, `paint` after anything; `draw` also what
 * only time or size can spoil.
 * @param {HeadGridHeader} header
 * @param {HeadArrays} arrays
 * @param {Store<HeadState>} store
 */
function createParts(header, arrays, store) {
  const { words } = header;
  const maps = mapsOf(header, arrays, store.state).map((spec) =>
    createMapPanel(header, { ...arrays }, spec, store),
  );
  const photo = createFetched(header, store, () => {
    const total =
      arrays.from_patches[shownHead(store.state) * header.texts.length + store.state.text];
    return { values: maps[0].spec.values, total };
  });
  const panels = [photo, ...maps];
  const grid = createGrid(header, arrays, {
    preview: (preview) => store.set({ preview }),
    choose: (at) => store.set({ at }),
  });
  const nodes = [...panels.map(({ node }) => node), grid.node];
  const stage = createStage(header.summary, words.keys, store, keysOf(header, store), ...nodes);
  const print = createSmallPrint(words.help + words.messenger_help);
  const closure = element("p", { className: "closure" });
  print.caption.append(closure);
  const table = createTableDetails(words.table, () => header.tables[store.state.text]);
  const chips = createTextChips(header.texts, (text) => store.set({ text }));
  const scaling = createSelect("maps", header.scalings, store.state.scaling, (scaling) =>
    store.set({ scaling }),
  );
  const modes = createChips(
    "view",
    [words.heads, words.messenger].map((name, n) => ({ name, value: n === 1 })),
    (messenger) => store.set({ messenger }),
  );
  const offered = header.messages.length ? [modes.bar] : [];
  const controls = createControls(chips.bar, ...offered, scaling, ...createMapControls(store));
  const swap = () => {
    const specs = mapsOf(header, arrays, store.state);
    maps.forEach((map, n) => map.take(specs[n]));
  };
  return {
    nodes: [controls, stage, ...print.nodes, table.details],
    swap,
    story: (/** @type {HeadState} */ state) =>
      state.messenger ? messageOf(header, arrays, state) : header.stories[state.text],
    rebuild() {
      const { text } = store.state;
      grid.fill(text);
      closure.textContent = header.closures[text];
      print.write([...header.captions[text], ...header.dropped]);
      table.show();
      swap();
    },
    paint() {
      const { state } = store;
      chips.show(state.text);
      modes.show(state.messenger);
      stage.classList.toggle("messenger", state.messenger);
      print.show(state);
      stage.style.setProperty("--alpha", String(state.alpha));
      print.status.textContent = headStatus(header, arrays, state);
      grid.mark(shownHead(state));
      photo.update(state);
      for (const map of maps) map.update(state);
    },
    draw() {
      photo.draw(store.state);
      for (const map of maps) map.draw(store.state);
      grid.fit();
    },
  };
}

/**
 * Brackets choose a layer, braces a head.
 * @param {HeadGridHeader} header
 * @param {Store<HeadState>} store
 */
function keysOf({ layers, heads, messages }, store) {
  const step = (/** @type {number} */ down, /** @type {number} */ across) => () => {
    const at = shownHead(store.state);
    const layer = clamp(Math.floor(at / heads) + down, layers);
    const head = clamp((at % heads) + across, heads);
    store.set({ preview: null, at: layer * heads + head });
  };
  const steps = { "[": step(-1, 0), "]": step(1, 0), "{": step(0, -1), "}": step(0, 1) };
  const m = () => store.set({ messenger: !store.state.messenger });
  return messages.length ? { ...steps, m } : steps;
}

/**
 * The maps of the shown head, and of all heads or of what the layer wrote into patches.
 * @param {HeadGridHeader} header
 * @param {HeadArrays} arrays
 * @param {HeadState} state
 * @returns {MapSpec[]}
 */
export function mapsOf(header, arrays, state) {
  const { layers, heads, texts, grids, words, remarks, scales } = header;
  const outlines = header.outlines[state.text];
  const { text } = state;
  const size = grids[0].height * grids[0].width;
  const count = layers * heads;
  const of = (/** @type {number} */ at) => {
    const start = (at * texts.length + text) * size;
    return arrays.heads.subarray(start, start + size);
  };
  const at = shownHead(state);
  const { layer, head } = headOf(header, state);
  const remark = (/** @type {number} */ n) => remarks[arrays.remarks[text * (count + 1) + n]];
  const { one, all, written: each } = scales[text];
  /** @type {(map: Omit<MapSpec, "source" | "scales">, scale: Scale) => MapSpec} */
  const whole = (map, scale) => {
    return { ...map, source: 0, scales: [scale, ownScale(map.values, scale)] };
  };
  const own = {
    title: fill(words.head, { layer, head }),
    subtitle: fill(words.from_patches, { total: arrays.from_patches[at * texts.length + text] }),
    remark: remark(at),
    values: of(at),
    outlines,
  };
  if (state.messenger && each) {
    const beside = { ...written(header, arrays, text, layer), outlines };
    return [whole(own, one), whole(beside, each)];
  }
  const every = new Float32Array(size);
  for (let n = 0; n < count; n++) of(n).forEach((value, i) => (every[i] += value));
  const together = {
    title: words.all_heads,
    subtitle: fill(words.from_patches, { total: arrays.all_from_patches[text] }),
    remark: remark(count),
    values: every,
    outlines,
  };
  return [whole(own, one), whole(together, all)];
}

/**
 * Zero in the middle, reaching to the map's own strongest patch.
 * @param {Float32Array} values
 * @param {Scale} like
 * @returns {Scale}
 */
function ownScale(values, { colours }) {
  const high = values.reduce((top, value) => {
    return Number.isFinite(value) ? Math.max(top, Math.abs(value)) : top;
  }, 0);
  return { low: -high, high, colours };
}

/**
 * What the shown head brought, in a line.
 * @param {HeadGridHeader} header
 * @param {HeadArrays} arrays
 * @param {HeadState} state
 */
export function headStatus({ heads, layers, texts, grids, words }, arrays, state) {
  const at = shownHead(state);
  const { layer, head } = headOf({ heads }, state);
  const share = arrays.cells[(state.text * (heads + 2) + head) * layers + layer];
  const cell = focused(state);
  const n = at * texts.length + state.text;
  if (cell) {
    const { height, width } = grids[0];
    const patch = cell.row * width + cell.column;
    const fetched = arrays.heads[n * height * width + patch];
    const pinned = showsPinned(state) ? words.pinned : "";
    const told = fill(words.at_patch, { layer, head, share, fetched, pinned, ...cell });
    if (!state.messenger) return told;
    const row = layer * texts.length + state.text;
    const wrote = arrays.written[row * height * width + patch];
    return told + fill(words.wrote, { layer, written: wrote });
  }
  const cosine = arrays.similarity[state.text];
  const [patches, from_class] = [arrays.from_patches[n], arrays.from_class[n]];
  return fill(words.status, { layer, head, share, cosine, patches, from_class });
}

export default startViewer("head_grid", STYLE, build);
