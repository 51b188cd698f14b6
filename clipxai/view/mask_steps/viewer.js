// How did a text come by its mask? Prompts on the photo, the mask before, one of those that came
// back, and the truth.
// @ts-check
import {
  createChips,
  createControls,
  createHelpControls,
  createTextChips,
} from "../browser/controls.js";
import { context2d, fitToScreen, strokeOutline } from "../browser/draw.js";
import { element } from "../browser/element.js";
import { below, oneOf, patchIn, restored } from "../browser/keep.js";
import { createHeading, createPicture, drawMarks, pointing } from "../browser/picture.js";
import { drawPoints } from "../browser/points.js";
import { createSmallPrint } from "../browser/small_print.js";
import { createStage } from "../browser/stage.js";
import { startViewer } from "../browser/start.js";
import { createStore, focused, UNTOUCHED } from "../browser/state.js";

/** @import { Checks } from "../browser/keep.js" */
/** @import { Cell, Store } from "../browser/state.js" */
/** @import { StepArrays, StepHeader, StepState, Text } from "./types.js" */

const STRIDE = 0.04; // of the longer side, for an arrow key
const SHADED = 190; // opacity of 255 outside of a mask
const STYLE = `
.mask_steps .panel { grid-template-rows: auto auto; }
.mask_steps .panel img { filter: none; }
`;

/**
 * @param {StepHeader} header
 * @param {StepArrays} arrays
 * @param {unknown} view
 */
function build(header, arrays, view) {
  const { grids, texts, words } = header;
  /** @type {Checks<StepState>} */
  const checks = {
    text: below(texts.length),
    mask: (value) => value === null || below(Math.max(...texts.map((t) => t.masks.length)))(value),
    tool: oneOf(["look", "for", "against"]),
    click: (value) => value === null || typeof value === "object",
    pinned: patchIn(grids),
  };
  /** @type {StepState} */
  const first = { ...UNTOUCHED, text: 0, mask: null, tool: "look", click: null };
  const store = createStore({ ...first, ...restored(view, checks) }, grids);
  const truths = texts.some(({ truth }) => truth !== null);
  const prompts = createPromptPanel(header, store);
  const panels = [
    prompts,
    createMaskPanel(header, arrays, store, (text) => ({
      at: text.masks[0].at,
      ...titled(words.before, text.masks[0].words),
    })),
    createMaskPanel(header, arrays, store, (text, state) => {
      const mask = text.masks[shownOf(text, state)];
      return { at: mask.at, ...titled(mask.title, mask.words) };
    }),
    ...(truths
      ? [
          createMaskPanel(header, arrays, store, ({ truth }) => ({
            at: truth,
            ...titled(words.truth, ""),
          })),
        ]
      : []),
  ];
  const nodes = panels.map(({ node }) => node);
  const stage = createStage(header.summary, words.keys, store, keysOf(grids[0], store), ...nodes);
  stage.style.setProperty("--columns", String(nodes.length));
  const names = createTextChips(
    texts.map(({ name }) => name),
    (text) => store.set({ text, mask: null }),
  );
  const candidates = element("div", {});
  const tools = createChips(
    "click",
    /** @type {const} */ (["look", "for", "against"]).map((tool) => ({
      name: words[tool],
      value: tool,
    })),
    (tool) => store.set({ tool }),
  );
  tools.bar.hidden = !header.live;
  const print = createSmallPrint(words.help);
  print.write([...header.notes, ...header.dropped]);
  const controls = createControls(...createHelpControls(store));
  const says = (/** @type {StepState} */ state) => maskStatus(header, arrays, state);
  let offered = -1;
  return {
    nodes: [controls, names.bar, tools.bar, stage, candidates, ...print.nodes],
    store,
    checks,
    story: (/** @type {StepState} */ { text }) => texts[text].story,
    says,
    paint() {
      const { state } = store;
      const text = texts[state.text];
      names.show(state.text);
      tools.show(state.tool);
      if (offered !== state.text) candidates.replaceChildren(...masksOf(text, store));
      offered = state.text;
      for (const [n, button] of [...candidates.querySelectorAll("button")].entries()) {
        button.setAttribute("aria-pressed", String(n === shownOf(text, state)));
      }
      print.show(state);
      for (const panel of panels) panel.update(state);
      print.status.textContent = says(state);
    },
    draw() {
      for (const panel of panels) panel.draw(store.state);
    },
  };
}

/** @param {string} title @param {string} subtitle */
function titled(title, subtitle) {
  return { title, subtitle };
}

/** @param {Text} text @param {StepState} state */
function shownOf(text, state) {
  return Math.min(state.mask ?? text.chosen, text.masks.length - 1);
}

/**
 * Buttons for the masks of a text.
 * @param {Text} text
 * @param {Store<StepState>} store
 */
function masksOf(text, store) {
  const choices = text.masks.map(({ title }, value) => ({ name: title, value }));
  return [createChips("masks", choices, (mask) => store.set({ mask })).bar];
}

/**
 * Arrows move by more than a pixel.
 * @param {{height: number, width: number}} grid
 * @param {Store<StepState>} store
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
 * The photo, its points and its box; a click looks, or tells the kernel of a point.
 * @param {StepHeader} header
 * @param {Store<StepState>} store
 */
function createPromptPanel(header, store) {
  const { grids, texts, words } = header;
  const marks = element("canvas", { className: "layer" });
  const on = pointing(store);
  const click = (/** @type {Cell} */ cell) => {
    const { tool, text, click: last } = store.state;
    if (tool === "look" || !header.live) return on.click(cell);
    const { image_size, height, width } = grids[0];
    const [H, W] = image_size;
    const [x, y] = [((cell.column + 0.5) / width) * W, ((cell.row + 0.5) / height) * H];
    const label = tool === "for" ? 1 : 0;
    return store.set({ click: { text, x, y, label, n: (last?.n ?? 0) + 1 } });
  };
  const picture = createPicture(header, 0, [marks], { ...on, click });
  const heading = createHeading(words.image, words.size);
  const node = element("figure", { className: "panel photo" }, heading, picture);
  const update = (/** @type {StepState} */ state) => {
    drawMarks(marks, grids, 0, state);
    const { points, box } = texts[state.text];
    drawPoints(marks, points, grids[0].image_size);
    if (box) {
      const [left, top, right, bottom] = box;
      const corners = [left, top, right, top, right, bottom, left, bottom];
      strokeOutline(marks, corners, grids[0].image_size);
    }
  };
  const draw = (/** @type {StepState} */ state) => {
    fitToScreen(marks);
    update(state);
  };
  return { node, draw, update };
}

/**
 * The photo, dark outside of a mask.
 * @param {StepHeader} header
 * @param {StepArrays} arrays
 * @param {Store<StepState>} store
 * @param {(text: Text, state: StepState) => {at: number | null, title: string, subtitle: string}}
 *   choose which
 */
function createMaskPanel(header, arrays, store, choose) {
  const { grids, texts } = header;
  const { height, width } = grids[0];
  const shade = element("canvas", { className: "layer", width, height });
  const marks = element("canvas", { className: "layer" });
  const heading = createHeading("", "");
  const picture = createPicture(header, 0, [shade, marks], pointing(store));
  const node = element("figure", { className: "panel" }, heading, picture);
  /** @type {number | null | undefined} */
  let painted;
  const update = (/** @type {StepState} */ state) => {
    const { at, title, subtitle } = choose(texts[state.text], state);
    if (painted !== at) {
      const pixels = shaded(maskOf(header, arrays, at));
      context2d(shade).putImageData(new ImageData(pixels, width, height), 0, 0);
      heading.replaceChildren(...createHeading(title, subtitle || "\u00a0").childNodes);
    }
    painted = at;
    drawMarks(marks, grids, 0, state);
  };
  const draw = (/** @type {StepState} */ state) => {
    painted = undefined;
    fitToScreen(marks);
    update(state);
  };
  return { node, draw, update };
}

/**
 * A mask (h, w); all of the picture where there is none.
 * @param {StepHeader} header
 * @param {StepArrays} arrays
 * @param {number | null} at
 */
function maskOf({ grids }, { masks }, at) {
  const size = grids[0].height * grids[0].width;
  return at === null ? new Uint8Array(size).fill(1) : masks.subarray(at * size, (at + 1) * size);
}

/**
 * Pixels that darken what is outside of a mask.
 * @param {ArrayLike<number>} mask
 */
export function shaded(mask) {
  const pixels = new Uint8ClampedArray(4 * mask.length);
  for (let i = 0; i < mask.length; i++) if (!mask[i]) pixels[4 * i + 3] = SHADED;
  return pixels;
}

/**
 * What refinement did to a pixel, and whether that is true.
 * @param {StepHeader} header
 * @param {StepArrays} arrays
 * @param {StepState} state
 */
export function maskStatus(header, arrays, state) {
  const { grids, texts, words } = header;
  const cell = focused(state);
  if (!cell) return "\u00a0";
  const text = texts[state.text];
  const at = cell.row * grids[0].width + cell.column;
  const in_ = (/** @type {number} */ n) => maskOf(header, arrays, n)[at] === 1;
  const [before, after] = [in_(text.masks[0].at), in_(text.masks[shownOf(text, state)].at)];
  const told = before ? (after ? words.both : words.lost) : after ? words.gained : words.neither;
  if (text.truth === null) return told;
  return told + (in_(text.truth) ? words.true : words.untrue);
}

export default startViewer("mask_steps", STYLE, build);
