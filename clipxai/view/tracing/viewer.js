// When does what matters lie where? The map of one layer, a strip of the maps of all, and cells for
// what is no patch; of a caption, words across and layers down.
// @ts-check
import { createControls, createHelpControls, createTextChips } from "../browser/controls.js";
import { createMapControls } from "../browser/controls.js";
import { element } from "../browser/element.js";
import { createFilm, FILM_STYLE } from "../browser/film.js";
import { colourIndex } from "../browser/interpolate.js";
import { below, isFlag, isShare, patchIn, restored } from "../browser/keep.js";
import { fill } from "../browser/number.js";
import { createMapPanel } from "../browser/panel.js";
import { createHeading, createPhotoPanel } from "../browser/picture.js";
import { createSmallPrint, createTableDetails } from "../browser/small_print.js";
import { createStage } from "../browser/stage.js";
import { startViewer } from "../browser/start.js";
import { clamp, createStore, focused, showsPinned, UNTOUCHED } from "../browser/state.js";
import { CELLS_STYLE, createCells } from "./cells.js";

/** @import { Checks } from "../browser/keep.js" */
/** @import { Store } from "../browser/state.js" */
/** @import { TracingArrays, TracingHeader, TracingState } from "./types.js" */

const STYLE = `
.tracing { --side: 190px; --across: 92px; }
.tracing .verdict { margin: 0 0 8px; font-size: 15px; font-weight: 600; }
.tracing .stage { display: flex; flex-wrap: wrap; gap: 8px 24px; align-items: start; }
.tracing .picture, .tracing .other { width: 100%; margin: 0; display: block; }
.tracing .panel { grid-template-rows: auto auto 8px 18px; width: calc(var(--side) * var(--wide)); }
.tracing .panel .readout, .tracing .panel .badges { display: none; }
.tracing .strip, .tracing .cells { flex: 1 1 100%; min-width: 0; grid-column: 1 / -1; }
.tracing .strip { display: grid; gap: 2px; grid-template-columns: 76px minmax(0, 1fr); }
.tracing .strip { max-width: calc(78px + var(--across) * var(--layers)); }
.tracing figcaption span:empty::after { content: "\\00a0"; }
@media (max-height: 700px) { .tracing { --side: 116px; --across: 60px; } }
`;

/**
 * @param {TracingHeader} header
 * @param {TracingArrays} arrays
 * @param {unknown} view
 */
function build(header, arrays, view) {
  const { alpha, grids, layers, names, texts, words } = header;
  const caption = arrays.patches.length === 0; // its words have no place on the image
  /** @type {Checks<TracingState>} */
  const checks = {
    text: below(texts.length),
    layer: below(layers.length),
    alpha: isShare,
    smooth: isFlag,
    pinned: patchIn(grids),
  };
  /** @type {TracingState} */
  const first = { ...UNTOUCHED, scaling: 0, smooth: false, alpha, text: 0, layer: 0, cell: null };
  first.layer = header.first[0];
  const store = createStore({ ...first, ...restored(view, checks) }, grids);
  const told = element("p", { className: "verdict" });
  // what has no map has its outline on the photo
  const lines = () => (caption ? header.outlines[store.state.text] : []);
  const photo = createPhotoPanel(header, store, lines);
  const map = caption ? null : createMap(header, arrays, store);
  const strip = caption ? null : createStrip(header, arrays, store);
  const point = (/** @type {number | null} */ cell) => {
    if (cell !== store.state.cell) store.set({ cell });
  };
  const cells = names.length ? createCells(header, arrays, caption, point) : null;
  if (strip && cells) strip.node.append(cells.node);
  const shown = [map?.node, photo.node, otherPhoto(header), strip?.node ?? cells?.node];
  const step = (/** @type {number} */ by) => () =>
    store.set({ layer: clamp(store.state.layer + by, layers.length) });
  const keys = { "[": step(-1), "]": step(1) };
  const nodes = shown.filter((node) => node !== undefined && node !== null);
  const stage = createStage(header.summary, words.keys, store, keys, ...nodes);
  const [H, W] = grids[0].image_size;
  stage.style.setProperty("--wide", String(Math.min(W / H, 1.6)));
  const print = createSmallPrint(words.help);
  const table = createTableDetails(words.table, () => header.tables[store.state.text]);
  const chips = createTextChips(texts, (text) => store.set({ text, layer: header.first[text] }));
  const says = (/** @type {TracingState} */ state) => statusOf(header, arrays, state);
  const rebuild = () => {
    const { text } = store.state;
    told.textContent = header.verdicts[text];
    cells?.fill(text);
    strip?.fill(text);
    print.write([...header.captions[text], ...header.dropped]);
    table.show();
  };
  const own = caption ? createHelpControls(store) : createMapControls(store);
  return {
    nodes: [createControls(chips.bar, ...own), told, stage, ...print.nodes, table.details],
    store,
    checks,
    says,
    rebuild,
    change: (/** @type {TracingState} */ now, /** @type {TracingState} */ before) => {
      if (now.text !== before.text) rebuild();
    },
    paint() {
      const { state } = store;
      chips.show(state.text);
      print.show(state);
      print.status.textContent = says(state);
      stage.style.setProperty("--alpha", String(state.alpha));
      photo.update(state);
      map?.show(state);
      strip?.mark(state.layer);
      strip?.outline(state.text);
      cells?.mark(state.cell);
    },
    draw() {
      photo.draw(store.state);
      map?.draw(store.state);
      strip?.outline(store.state.text);
      cells?.fit();
    },
  };
}

/** @param {TracingHeader} header */
function otherPhoto({ other, words }) {
  if (!other) return null;
  const image = element("img", { className: "other", src: other, alt: "" });
  return element("figure", { className: "panel photo" }, createHeading(words.other, ""), image);
}

/**
 * The patches of a layer, (P,).
 * @param {TracingHeader} header
 * @param {TracingArrays} arrays
 * @param {number} text
 * @param {number} layer
 */
function patchesOf({ grids, layers }, arrays, text, layer) {
  const P = grids[0].height * grids[0].width;
  const start = (text * layers.length + layer) * P;
  return arrays.patches.subarray(start, start + P);
}

/**
 * The map of the chosen layer.
 * @param {TracingHeader} header
 * @param {TracingArrays} arrays
 * @param {Store<TracingState>} store
 */
function createMap(header, arrays, store) {
  const spec = (/** @type {TracingState} */ { text, layer }) => ({
    title: fill(header.words.layer, { layer: header.layers[layer] }),
    subtitle: header.title,
    remark: header.remarks[text],
    outlines: header.outlines[text],
    source: 0,
    values: patchesOf(header, arrays, text, layer),
    scales: [header.scales[text][0]],
  });
  const panel = createMapPanel(header, { RdBu_r: arrays.RdBu_r }, spec(store.state), store);
  let taken = "";
  return {
    node: panel.node,
    draw: panel.draw,
    /** @param {TracingState} state */
    show(state) {
      const wanted = `${state.text} ${state.layer}`;
      if (taken !== wanted) panel.take(spec(state));
      taken = wanted;
      panel.update(state);
    },
  };
}

/**
 * A little map for each layer; a click chooses it.
 * @param {TracingHeader} header
 * @param {TracingArrays} arrays
 * @param {Store<TracingState>} store
 */
function createStrip(header, arrays, store) {
  const { grids, layers, words } = header;
  const film = createFilm({
    rows: 1,
    columns: layers.length,
    size: grids[0],
    gap: 1,
    label: words.strip,
    outlines: { lines: [], grid: grids[0] },
    choose: (_, layer) => store.set({ layer }),
    point: () => {},
  });
  const node = element("div", { className: "strip" }, element("span"), film.node);
  node.style.setProperty("--layers", String(layers.length));
  const palette = { colours: arrays.RdBu_r, unknown: 128 };
  return {
    node,
    /** @param {number} text */
    fill(text) {
      const scale = header.scales[text][0];
      film.paint(
        (_, layer) => ({ weights: patchesOf(header, arrays, text, layer), first: 0, end: 1 }),
        palette,
        (value) => colourIndex(value, scale),
      );
    },
    /** @param {number} text */
    outline: (text) => film.outline(header.outlines[text]),
    /** @param {number} layer */
    mark: (layer) => film.mark([[0, layer]]),
  };
}

/**
 * What is pointed at, else what matters most in the shown layer.
 * @param {TracingHeader} header
 * @param {TracingArrays} arrays
 * @param {TracingState} state
 */
export function statusOf(header, arrays, state) {
  const { grids, layers, names, words } = header;
  const { text, layer } = state;
  const of = (/** @type {number} */ cell) =>
    fill(words.alone, {
      layer: layers[Math.floor(cell / names.length)],
      token: names[cell % names.length],
      value: arrays.alone[text * layers.length * names.length + cell],
    });
  if (state.cell !== null) return of(state.cell);
  const patches = patchesOf(header, arrays, text, layer);
  if (!patches.length) {
    const [row, token] = header.best[text];
    return of(row * names.length + token);
  }
  const cell = focused(state);
  const { width } = grids[0];
  const size = (/** @type {number} */ n) => Math.abs(patches[n]) || 0;
  const most = patches.reduce((best, _, n) => (size(n) > size(best) ? n : best), 0);
  const at = cell ? cell.row * width + cell.column : most;
  return fill(cell ? words.patch : words.most, {
    layer: layers[layer],
    row: Math.floor(at / width),
    column: at % width,
    pinned: cell && showsPinned(state) ? words.pinned : "",
    value: patches[at],
  });
}

export default startViewer("tracing", FILM_STYLE + CELLS_STYLE + STYLE, build);
