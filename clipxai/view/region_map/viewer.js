// Which class did every pixel get? Coloured regions over the photo, the truth beside them, and a
// key that singles out one class.
// @ts-check
import { createChips, createControls, createHelpControls } from "../browser/controls.js";
import { context2d, fitToScreen } from "../browser/draw.js";
import { element } from "../browser/element.js";
import { oneOf, patchIn, restored } from "../browser/keep.js";
import { fill } from "../browser/number.js";
import {
  createHeading,
  createPhotoPanel,
  createPicture,
  drawMarks,
  pointing,
} from "../browser/picture.js";
import { createSmallPrint } from "../browser/small_print.js";
import { createStage } from "../browser/stage.js";
import { startViewer } from "../browser/start.js";
import { createStore, focused, UNTOUCHED } from "../browser/state.js";

/** @import { Checks } from "../browser/keep.js" */
/** @import { Cell, Store } from "../browser/state.js" */
/** @import { RegionArrays, RegionHeader, RegionState } from "./types.js" */

const STRIDE = 0.04; // of the longer side, for an arrow key
const STYLE = `
.region_map .panel { grid-template-rows: auto auto; }
.region_map .layer { image-rendering: pixelated; }
.region_map .key { margin-top: 10px; }
.swatch {
  display: inline-block; width: 10px; height: 10px; margin-right: 6px; border-radius: 2px;
}
`;

/**
 * @param {RegionHeader} header
 * @param {RegionArrays} arrays
 * @param {unknown} view
 */
function build(header, arrays, view) {
  const { classes, grids, panels, words } = header;
  /** @type {Checks<RegionState>} */
  const checks = { only: oneOf([null, ...classes.keys()]), pinned: patchIn(grids) };
  /** @type {RegionState} */
  const first = { ...UNTOUCHED, only: null };
  const store = createStore({ ...first, ...restored(view, checks) }, grids);
  const photo = createPhotoPanel(header, store);
  const maps = panels.map((_, n) => createRegionPanel(header, arrays, n, store));
  const key = createKey(header, store);
  const nodes = [photo, ...maps].map(({ node }) => node);
  const stage = createStage(header.summary, words.keys, store, keysOf(grids[0], store), ...nodes);
  stage.style.setProperty("--columns", String(nodes.length));
  stage.toggleAttribute("data-few", nodes.length <= 3);
  const print = createSmallPrint(words.help);
  print.write([...header.notes, ...header.dropped]);
  const controls = createControls(...createHelpControls(store));
  const says = (/** @type {RegionState} */ state) => regionStatus(header, arrays, focused(state));
  return {
    nodes: [controls, stage, key.bar, ...print.nodes],
    store,
    checks,
    story: () => header.story,
    says,
    paint() {
      const { state } = store;
      print.show(state);
      key.show(state.only);
      photo.update(state);
      for (const map of maps) map.update(state);
      print.status.textContent = says(state);
    },
    draw() {
      photo.draw(store.state);
      for (const map of maps) map.draw(store.state);
    },
  };
}

/**
 * Arrows move by more than a pixel.
 * @param {{height: number, width: number}} grid
 * @param {Store<RegionState>} store
 */
function keysOf({ height, width }, store) {
  const stride = Math.max(1, Math.round(STRIDE * Math.max(height, width)));
  const move = (/** @type {number} */ down, /** @type {number} */ right) => () =>
    store.dispatch({ type: "move", down: down * stride, right: right * stride });
  return {
    ArrowUp: move(-1, 0),
    ArrowDown: move(1, 0),
    ArrowLeft: move(0, -1),
    ArrowRight: move(0, 1),
  };
}

/**
 * The classes with their colours; one of them may be shown alone.
 * @param {RegionHeader} header
 * @param {Store<RegionState>} store
 */
function createKey({ classes, uncoloured, words }, store) {
  const names = classes.map(({ words: name }, value) => ({ name, value }));
  const choices = [{ name: words.all, value: null }, ...names];
  const key = createChips("classes", choices, (only) => store.set({ only }));
  key.bar.classList.add("key");
  classes.forEach(({ colour }, n) => {
    const swatch = element("span", { className: "swatch" });
    swatch.style.background = `rgb(${colour ?? uncoloured})`;
    key.buttons[n + 1].prepend(swatch);
  });
  return key;
}

/**
 * Classes of one panel over the photo.
 * @param {RegionHeader} header
 * @param {RegionArrays} arrays
 * @param {number} n
 * @param {Store<RegionState>} store
 */
function createRegionPanel(header, arrays, n, store) {
  const { grids, panels } = header;
  const { height, width } = grids[0];
  const map = element("canvas", { className: "layer", width, height });
  const marks = element("canvas", { className: "layer" });
  const heading = createHeading(panels[n].title, panels[n].subtitle || "\u00a0");
  const picture = createPicture(header, 0, [map, marks], pointing(store));
  const node = element("figure", { className: "panel" }, heading, picture);
  /** @type {number | null | undefined} */
  let painted;
  const update = (/** @type {RegionState} */ state) => {
    if (painted !== state.only) {
      const pixels = coloured(labelsOf(header, arrays, n), header, state.only);
      context2d(map).putImageData(new ImageData(pixels, width, height), 0, 0);
    }
    painted = state.only;
    drawMarks(marks, grids, 0, state);
  };
  const draw = (/** @type {RegionState} */ state) => {
    painted = undefined;
    fitToScreen(marks);
    update(state);
  };
  return { node, draw, update };
}

/**
 * @param {RegionHeader} header
 * @param {RegionArrays} arrays
 * @param {number} n
 */
function labelsOf({ grids }, { labels }, n) {
  const { height, width } = grids[0];
  return labels.subarray(n * height * width, (n + 1) * height * width);
}

/**
 * Red, green, blue and opacity of every pixel; `only` makes the other classes faint.
 * @param {ArrayLike<number>} labels
 * @param {Pick<RegionHeader, "classes" | "opacities" | "unseen">} header
 * @param {number | null} only
 */
export function coloured(labels, { classes, opacities, unseen }, only) {
  const pixels = new Uint8ClampedArray(4 * labels.length);
  for (let i = 0; i < labels.length; i++) {
    const colour = classes[labels[i]]?.colour;
    const { faint, shown, dark } = opacities;
    if (labels[i] === unseen) pixels[4 * i + 3] = dark;
    else if (colour) {
      pixels.set([...colour, only === null || only === labels[i] ? shown : faint], 4 * i);
    }
  }
  return pixels;
}

/**
 * What a pixel got, how surely, and what it is.
 * @param {RegionHeader} header
 * @param {RegionArrays} arrays
 * @param {Cell | null} cell
 */
export function regionStatus(header, arrays, cell) {
  const { classes, grids, panels, unseen, words } = header;
  if (!cell) return "\u00a0";
  const at = cell.row * grids[0].width + cell.column;
  const [found, truth = unseen] = panels.map((_, n) => labelsOf(header, arrays, n)[at]);
  if (found === unseen) return words.unseen;
  const told = { name: classes[found].name, confidence: arrays.confidence[at] / 255 };
  if (truth === unseen) return fill(words.found, told);
  return fill(words.found_and_true, { ...told, truth: classes[truth].name });
}

export default startViewer("region_map", STYLE, build);
