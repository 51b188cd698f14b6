// What happens between an image and a text? The whole model as one picture: a block diagram whose
// boxes open in place, and a patch and a word that are followed through all of it.
// @ts-check
import { createControls, createHelpControls, createTextChips } from "../browser/controls.js";
import { fitToScreen } from "../browser/draw.js";
import { element, paragraphs } from "../browser/element.js";
import { below, oneOf, patchIn, restored } from "../browser/keep.js";
import { fill } from "../browser/number.js";
import { createPicture, drawMarks, pointing } from "../browser/picture.js";
import { createSmallPrint } from "../browser/small_print.js";
import { createStage } from "../browser/stage.js";
import { startViewer } from "../browser/start.js";
import { clamp, createStore, UNTOUCHED } from "../browser/state.js";
import { createAttentionDrawer } from "./attention_drawer.js";
import { createDiagram } from "./diagram.js";
import { createCutter } from "./map.js";
import { createFfnDrawer, createRailDrawer, createStreamDrawer } from "./map_drawers.js";
import { codeOf, saysOf, titleOf } from "./says.js";
import { OVERVIEW_STYLE } from "./style.js";
import {
  createImageDrawer,
  createJointDrawer,
  createTextDrawer,
  patchName,
} from "./word_drawers.js";
import { followedPatch } from "./numbers.js";

/** @import { Checks } from "../browser/keep.js" */
/** @import { Store } from "../browser/state.js" */
/** @import { Box, Drawer, OverviewArrays, OverviewHeader, OverviewState } from "./types.js" */

/**
 * @param {OverviewHeader} header
 * @param {OverviewArrays} arrays
 * @param {unknown} view
 */
function build(header, arrays, view) {
  const { text, followed, rail } = header;
  const switches = rail ? rail.names.length : 0;
  /** @type {OverviewState} */
  const first = {
    ...UNTOUCHED,
    pinned: followed && { grid: 0, row: followed[0], column: followed[1] },
    ...header.stories[text],
    text,
    setting: 2 ** switches - 1,
    word: -1,
  };
  /** @type {Checks<OverviewState>} */
  const checks = {
    text: below(header.texts.length),
    box: oneOf(["image", "attention", "ffn", "stream", "rail", "joint", "text"]),
    layer: below(Math.max(1, header.layers)),
    head: below(Math.max(1, header.heads)),
    setting: below(2 ** switches),
    pinned: patchIn(header.grids),
  };
  const store = createStore({ ...first, ...restored(view, checks) }, header.grids);
  const parts = createParts(header, arrays, store);
  const says = (/** @type {OverviewState} */ state) =>
    fill(header.words.status, {
      title: titleOf(header, state),
      what: patchName(header, followedPatch(header, state)),
      text: header.texts[state.text],
    });
  return { ...parts, store, checks, says };
}

/**
 * @param {OverviewHeader} header
 * @param {OverviewArrays} arrays
 * @param {Store<OverviewState>} store
 */
function createParts(header, arrays, store) {
  const { words } = header;
  const photo = createPhoto(header, store);
  const diagram = createDiagram(header, arrays, store, photo.node);
  const drawer = createDrawer(header, arrays, store);
  const step = (/** @type {"layer" | "head"} */ what, /** @type {number} */ by) => () =>
    store.set({ [what]: clamp(store.state[what] + by, Math.max(1, header[`${what}s`])) });
  const keys = {
    "[": step("layer", -1),
    "]": step("layer", 1),
    "{": step("head", -1),
    "}": step("head", 1),
  };
  const wide = element("div", { className: "wide" }, diagram.node);
  const stage = createStage(header.summary, words.keys, store, keys, wide, drawer.node);
  const print = createSmallPrint(words.help);
  // both are there, one of them is seen: what stands below would jump when a switch is touched
  const [opening, changed] = [element("span"), element("span")];
  const headline = element("p", { className: "opening" }, opening, changed);
  const chips = createTextChips(header.texts, (text) => store.set({ text, word: -1 }));
  const controls = createControls(chips.bar, ...createHelpControls(store));
  const lines = paragraphs([...header.captions, ...header.dropped]);
  const notes = element("div", { className: "notes", hidden: true }, print.help, ...lines);
  const change = (/** @type {OverviewState} */ now, /** @type {OverviewState} */ before) => {
    notes.hidden = !now.help;
    if (now.layer !== before.layer) diagram.place();
    if (now.text !== before.text || now.setting !== before.setting) diagram.show();
    const names = /** @type {const} */ (["text", "setting", "layer", "head", "box", "word"]);
    if (names.some((name) => now[name] !== before[name])) drawer.show();
  };
  const paint = () => {
    const { state } = store;
    opening.textContent = header.openings[state.text];
    changed.textContent = header.openings_changed[state.text];
    const own = state.setting === 2 ** (header.rail?.names.length ?? 0) - 1;
    opening.style.visibility = own ? "" : "hidden";
    changed.style.visibility = own ? "hidden" : "";
    chips.show(state.text);
    print.show(state);
    photo.follow();
    diagram.follow();
    drawer.follow(diagram.pointer());
  };
  return {
    nodes: [headline, controls, stage, notes],
    change,
    paint,
    rebuild() {
      diagram.place();
      diagram.show();
      drawer.show();
    },
    draw() {
      photo.draw();
      diagram.place();
      drawer.draw();
      paint();
    },
  };
}

/**
 * The photo with its patches, and below it the switches of the second rail.
 * @param {OverviewHeader} header
 * @param {Store<OverviewState>} store
 */
function createPhoto(header, store) {
  const { grids, rail, words } = header;
  const marks = element("canvas", { className: "layer" });
  const lines = element("div", { className: "patches" });
  const [top, left, bottom, right] = grids[0].box;
  const [H, W] = grids[0].image_size;
  Object.assign(lines.style, {
    left: `${(100 * left) / W}%`,
    top: `${(100 * top) / H}%`,
    width: `${(100 * (right - left)) / W}%`,
    height: `${(100 * (bottom - top)) / H}%`,
    backgroundSize: `${100 / grids[0].width}% ${100 / grids[0].height}%`,
  });
  const picture = createPicture(header, 0, [marks], pointing(store));
  picture.append(lines);
  const boxes = (rail?.names ?? []).map((name, n) => {
    const onchange = () => {
      const { layer, setting } = store.state;
      const first = header.layers - (rail?.blocks ?? 0); // there is no second rail before
      store.set({ setting: setting ^ (1 << n), box: "rail", layer: Math.max(layer, first, 0) });
    };
    const box = element("input", { type: "checkbox", onchange });
    return { box, label: element("label", { title: rail?.titles[n] }, box, name) };
  });
  const switches = element(
    "div",
    { className: "switches", role: "group", "aria-label": words.rail },
    element("b", {}, words.surgery_name),
    ...boxes.map(({ label }) => label),
  );
  switches.hidden = !rail;
  const node = element("div", { className: "left" }, picture, switches);
  const follow = () => {
    drawMarks(marks, grids, 0, store.state);
    boxes.forEach(({ box }, n) => (box.checked = ((store.state.setting >> n) & 1) === 1));
  };
  const draw = () => {
    fitToScreen(marks);
    follow();
  };
  return { node, follow, draw };
}

/**
 * What the open box shows, with what it says and the line of code that shows more.
 * @param {OverviewHeader} header
 * @param {OverviewArrays} arrays
 * @param {Store<OverviewState>} store
 */
function createDrawer(header, arrays, store) {
  const { words } = header;
  /** @type {Partial<Record<Box, Drawer>>} */
  const made = {};
  const cut = createCutter(header, () => drawerOf(store.state.box).follow());
  /** @type {Record<Box, () => Drawer>} */
  const makers = {
    image: () => createImageDrawer(header, arrays, store, cut),
    attention: () => createAttentionDrawer(header, arrays, store, cut),
    ffn: () => createFfnDrawer(header, arrays, store),
    stream: () => createStreamDrawer(header, arrays, store),
    rail: () => createRailDrawer(header, arrays, store),
    joint: () => createJointDrawer(header, arrays, store),
    text: () => createTextDrawer(header, arrays, store),
  };
  const drawerOf = (/** @type {Box} */ box) => (made[box] ??= makers[box]());
  const [title, told] = [element("b"), element("span")];
  const body = element("div");
  const code = element("code", { tabIndex: 0 });
  const copy = element("button", { type: "button", className: "save" }, words.copy);
  copy.addEventListener("click", () => {
    navigator.clipboard?.writeText(code.textContent ?? "").then(
      () => (copy.textContent = words.copied),
      () => getSelection()?.selectAllChildren(code),
    );
  });
  const line = element("div", { className: "show-me" }, element("b", {}, words.show), code, copy);
  const notch = element("span", { className: "notch", "aria-hidden": "true" }, "▲");
  const node = element(
    "section",
    { className: "drawer" },
    notch,
    element("div", { className: "head-line" }, title, told),
    body,
    line,
  );
  const say = () => {
    const { state } = store;
    title.textContent = titleOf(header, state);
    told.textContent = saysOf(header, arrays, state);
    const written = codeOf(header, state);
    line.hidden = !written;
    if (code.textContent !== written) copy.textContent = words.copy;
    code.textContent = written;
  };
  return {
    node,
    show() {
      const drawer = drawerOf(store.state.box);
      const other = body.firstChild !== drawer.node;
      if (other) body.replaceChildren(drawer.node);
      drawer.show();
      if (other) drawer.draw?.();
      say();
    },
    follow(/** @type {number} */ pointer) {
      notch.style.left = `${pointer}px`;
      drawerOf(store.state.box).follow();
      say();
    },
    draw: () => drawerOf(store.state.box).draw?.(),
  };
}

export default startViewer("model_overview", OVERVIEW_STYLE, build);
