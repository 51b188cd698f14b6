// Which class did every pixel get? Coloured regions over the photo, the truth beside them, and a key that singles out one class.
// @ts-check
import {
  createFrame,
  createHelpControls,
  createStage,
  createStyle,
  viewerLaterOf,
} from "../browser/controls.js";
import { context2d, fitToScreen, markCell } from "../browser/draw.js";
import { keep, oneOf, patchIn, restored } from "../browser/keep.js";
import { createPhotoPanel, createPicture, pointing } from "../browser/panel.js";
import { createChips, createShell, element } from "../browser/shell.js";
import { createStore, focused } from "../browser/state.js";
import { format } from "../browser/number.js";

const HELP =
  "Move over a picture to read a pixel. Click to pin it, click it again or press Esc to unpin it. The buttons show one class alone. " +
  "Arrow keys move, Space pins, ? shows this line.";
const KEYS = "Arrow keys move over the picture, Space pins, Escape unpins, question mark helps.";
const STRIDE = 0.04; // of the longer side, for an arrow key
const [FAINT, SHOWN, DARK] = [30, 153, 180]; // opacity of 255: another class than the chosen one, a class, what the model did not see
const UNSEEN = 255; // code of a pixel that the model did not look at, or whose truth is not known
const STYLE = `
.regions .panel { grid-template-rows: auto auto; } .regions .layer { image-rendering: pixelated; }
.regions .key { margin-top: 10px; } .swatch { display: inline-block; width: 10px; height: 10px; margin-right: 6px; border-radius: 2px; }
`;

/** @param {any} model @param {HTMLElement} el @param {Record<string, any>} arrays @returns {() => void} */
function buildRegions(model, el, arrays) {
  const { header } = model.get("payload");
  const { classes, grids } = header;
  const checks = { only: oneOf([null, ...classes.keys()]), pinned: patchIn(grids) };
  const first = { hover: null, pinned: null, help: false, only: null };
  const store = createStore({ ...first, ...restored(model.get("view"), checks) }, grids);
  const stride = Math.max(1, Math.round(STRIDE * Math.max(grids[0].height, grids[0].width)));
  const move = (/** @type {number} */ down, /** @type {number} */ right) => () =>
    store.dispatch({ type: "move", down: down * stride, right: right * stride });

  const photo = createPhotoPanel(header, store);
  const maps = header.panels.map((/** @type {any} */ _, /** @type {number} */ n) =>
    createRegionPanel(header, labelsOf(header, arrays, n), n, store),
  );
  const names = classes.map(({ words }, /** @type {number} */ value) => ({ name: words, value }));
  const key = createChips("classes", [{ name: "all classes", value: null }, ...names], (only) =>
    store.dispatch({ type: "set", values: { only } }),
  );
  key.bar.classList.add("key");
  key.bar
    .querySelectorAll("button")
    .forEach((/** @type {HTMLElement} */ button, /** @type {number} */ n) => {
      if (n)
        button.prepend(
          element("span", {
            className: "swatch",
            style: `background: rgb(${classes[n - 1].colour ?? [170, 170, 170]})`,
          }),
        );
    });
  const own = {
    ArrowUp: move(-1, 0),
    ArrowDown: move(1, 0),
    ArrowLeft: move(0, -1),
    ArrowRight: move(0, 1),
  };
  const stage = createStage(
    header.summary,
    KEYS,
    store,
    own,
    photo.node,
    ...maps.map((/** @type {any} */ map) => map.node),
  );
  stage.style.setProperty("--columns", String(1 + maps.length));
  const status = element("div", { className: "status" });
  const help = element("p", { className: "help", hidden: true }, HELP);
  const caption = element(
    "div",
    { className: "caption" },
    ...[...header.notes, ...header.dropped].map((line) => element("p", {}, line)),
  );
  const panels = [photo, ...maps];
  const shell = createShell(el, model.get("css"), () =>
    panels.forEach((panel) => panel.draw(store.state)),
  );
  shell.root.classList.add("regions");
  shell.root.append(
    createStyle(STYLE),
    element("div", { className: "controls" }, ...createHelpControls(store)),
    stage,
    key.bar,
    status,
    help,
    caption,
  );

  const paint = () => {
    help.hidden = !store.state.help;
    key.show(store.state.only);
    panels.forEach((panel) => panel.update(store.state));
    status.textContent = regionStatus(header, arrays, focused(store.state));
  };
  const frame = createFrame(paint);
  store.subscribe((now, before) => {
    if (focused(now) !== focused(before)) shell.speak(regionStatus(header, arrays, focused(now)));
    keep(model, now, before, checks);
    frame.ask();
  });
  paint();
  return () => {
    frame.cancel();
    shell.close();
  };
}

/** Classes of one panel over the photo. @param {any} header @param {Uint8Array} labels @param {number} n @param {any} store */
function createRegionPanel(header, labels, n, store) {
  const { title, subtitle } = header.panels[n];
  const { height, width } = header.grids[0];
  const [map, marks] = ["layer", "layer"].map((className) => element("canvas", { className }));
  Object.assign(map, { width, height });
  const node = element(
    "figure",
    { className: "panel" },
    element("figcaption", {}, element("b", {}, title), element("span", {}, subtitle || "\u00a0")),
    createPicture(header, 0, [map, marks], pointing(store)),
  );
  /** @type {number | null | undefined} */
  let painted;
  const update = (/** @type {any} */ state) => {
    if (painted !== state.only)
      context2d(map).putImageData(
        new ImageData(coloured(labels, header.classes, state.only), width, height),
        0,
        0,
      );
    painted = state.only;
    context2d(marks).clearRect(0, 0, marks.width, marks.height);
    for (const cell of new Set([state.pinned, focused(state)]))
      if (cell) markCell(marks, header.grids[0], cell, cell === state.pinned);
  };
  const draw = (/** @type {any} */ state) => {
    painted = undefined;
    fitToScreen(marks);
    update(state);
  };
  return { node, draw, update };
}

/** @param {any} header @param {Record<string, any>} arrays @param {number} n @returns {Uint8Array} */
function labelsOf({ grids: [{ height, width }] }, arrays, n) {
  return arrays.labels.subarray(n * height * width, (n + 1) * height * width);
}

/**
 * Red, green, blue and opacity of every pixel; `only` makes the other classes faint.
 * @param {ArrayLike<number>} labels @param {{colour: number[] | null}[]} classes @param {number | null} only @returns {Uint8ClampedArray<ArrayBuffer>}
 */
export function coloured(labels, classes, only) {
  const pixels = new Uint8ClampedArray(4 * labels.length);
  for (let i = 0; i < labels.length; i++) {
    const colour = classes[labels[i]]?.colour;
    if (labels[i] === UNSEEN) pixels[4 * i + 3] = DARK;
    else if (colour)
      pixels.set([...colour, only === null || only === labels[i] ? SHOWN : FAINT], 4 * i);
  }
  return pixels;
}

/** What a pixel got, how surely, and what it is. @param {any} header @param {Record<string, any>} arrays @param {any} cell @returns {string} */
export function regionStatus(header, arrays, cell) {
  if (!cell) return "\u00a0";
  const at = cell.row * header.grids[0].width + cell.column;
  const [found, true_] = header.panels.map(
    (/** @type {any} */ _, /** @type {number} */ n) => labelsOf(header, arrays, n)[at],
  );
  if (found === UNSEEN) return "not seen by the model";
  const truth =
    true_ === undefined || true_ === UNSEEN ? "" : `; in truth ${header.classes[true_].name}`;
  return `${header.classes[found].name}; best ${header.measure} ${format(arrays.confidence[at] / 255)}${truth}`;
}

export default viewerLaterOf(buildRegions);
