// How is a scene composed? On the picture itself: things are dragged, made larger, doubled, taken
// away, or exchanged for others; with the mouse, or with the keyboard. What moves is a cutout of
// the picture, at once; the picture itself follows when the kernel has drawn it.
// @ts-check
import { element } from "../view/browser/element.js";
import { fill } from "../view/browser/number.js";
import { createPicker } from "./thing_picker.js";

/** @import { World } from "./thing_picker.js" */
/**
 * @typedef {{name: string, y: number, x: number, side: number}} Thing  its centre and its side as
 *   shares of the picture
 * @typedef {object} Values
 * @property {Thing[]} things in the order they are drawn
 * @property {{picture: string, empty: string, cutouts: string[], zoom: number}} pictures data URLs:
 *   the scene, the scene without its things, and each thing, `zoom` times as wide as its side
 * @property {World} world
 * @property {Record<string, string>} words
 * @property {number} most how many things there may be
 * @typedef {object} Model
 * @property {<Name extends keyof Values>(name: Name) => Values[Name]} get
 * @property {(name: "things", value: Thing[]) => void} set
 * @property {(event: string, notify: () => void) => void} on
 * @property {(event: string, notify: () => void) => void} off
 * @property {() => void} save_changes
 */
const STEP = 0.02; // of the picture, for a key; with Shift five times as far
const GROWTH = 1.1;
const SMALLEST = 0.1;
const REST = 150; // milliseconds after the last key when the kernel is asked
const MOVES = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

/** @param {{model: Model, el: HTMLElement}} context */
function render({ model, el }) {
  const words = model.get("words");
  const picture = element("img", { alt: words.picture, draggable: false });
  const scene = element("div", { className: "scene" }, picture);
  /** @type {Thing[]} */
  let things = [];
  /** @type {HTMLElement[]} */
  let nodes = [];
  let chosen = 0;
  let resting = 0;
  let exchanging = false; // what the grid is open for
  let untold = false; // whether something has moved of which the kernel has not been told

  const preview = () => {
    untold = true;
    picture.src = model.get("pictures").empty;
    scene.toggleAttribute("data-moving", true);
    nodes.forEach((node, n) => place(node, things[n]));
  };
  const commit = () => {
    clearTimeout(resting);
    untold = false;
    model.set("things", things.map(rounded));
    model.save_changes();
  };
  const choose = (/** @type {number} */ n) => {
    chosen = n;
    nodes.forEach((node, at) => node.setAttribute("aria-current", String(at === n)));
  };
  const change = (/** @type {Thing[]} */ next, /** @type {number} */ at) => {
    [things, chosen] = [next, at];
    commit();
  };
  const add = (/** @type {Thing} */ thing) => change([...things, thing], things.length);
  const remove = () => {
    if (things.length > 1) change(things.toSpliced(chosen, 1), Math.max(0, chosen - 1));
  };
  const double = () => {
    if (things.length < model.get("most")) add({ ...things[chosen], ...freePlace(things) });
  };
  const picker = createPicker(model.get("world"), pickerWords(words), (name) => {
    if (exchanging) change(things.with(chosen, { ...things[chosen], name }), chosen);
    else add({ name, side: 0.36, ...freePlace(things) });
  });
  const open = (/** @type {boolean} */ exchange) => {
    exchanging = exchange;
    picker.open();
  };
  const tools = [
    createTool(words.add, words.add_tip, () => open(false)),
    createTool(words.exchange, words.exchange_tip, () => open(true)),
    createTool(words.double, words.double_tip, double),
    createTool(words.remove, words.remove_tip, remove),
  ];

  const draw = () => {
    const focused = nodes.findIndex((node) => node === document.activeElement);
    for (const node of nodes) node.remove();
    const { cutouts, zoom } = model.get("pictures");
    nodes = things.map((thing, n) => createThing(words, thing, cutouts[n] ?? "", zoom));
    nodes.forEach((node, n) => node.addEventListener("focus", () => choose(n)));
    scene.append(...nodes);
    choose(Math.min(chosen, things.length - 1));
    if (focused >= 0) nodes[chosen]?.focus();
    const full = things.length >= model.get("most");
    tools[0].disabled = tools[2].disabled = full;
    tools[3].disabled = things.length < 2;
  };
  const take = () => {
    // what moves now is newer than the choice that is answered
    if (!untold) things = model.get("things").map((thing) => ({ ...thing }));
    draw();
    if (untold) return preview();
    picture.src = model.get("pictures").picture;
    scene.removeAttribute("data-moving");
  };
  scene.addEventListener("pointerdown", (event) => {
    const node = event.target instanceof Element ? event.target.closest(".thing") : null;
    const n = nodes.findIndex((one) => one === node);
    if (n < 0) return;
    event.preventDefault();
    nodes[n].focus();
    const resizes = event.target instanceof Element && event.target.matches(".handle");
    drag(scene, event, () => things[n], resizes, preview, commit);
  });
  scene.addEventListener("keydown", (event) => {
    if (!nodes.some((node) => node === event.target)) return;
    if (event.key === "Delete" || event.key === "Backspace") remove();
    else if (event.key === "d") double();
    else if (event.key === "Enter") open(true);
    else if (moved(things[chosen], event)) {
      preview();
      clearTimeout(resting);
      resting = setTimeout(commit, REST);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });
  const bar = element("div", { className: "tools" }, ...tools);
  const root = element("div", { className: "clipxai-editor" }, scene, bar, picker.node);
  root.dataset.lmSuppressShortcuts = "true";
  el.append(root);
  model.on("change:pictures", take);
  take();
  return () => {
    clearTimeout(resting);
    model.off("change:pictures", take);
  };
}

/**
 * Follow the pointer until it is released. A click that moves nothing asks nothing.
 * @param {HTMLElement} scene
 * @param {PointerEvent} start
 * @param {() => Thing} grasp the thing, as it is when it begins to move
 * @param {boolean} resizes
 * @param {() => void} preview
 * @param {() => void} commit
 */
function drag(scene, start, grasp, resizes, preview, commit) {
  const { width, height } = scene.getBoundingClientRect();
  let [thing, first] = [grasp(), grasp()];
  let changed = false;
  scene.setPointerCapture(start.pointerId);
  const move = (/** @type {PointerEvent} */ event) => {
    const right = (event.clientX - start.clientX) / width;
    const down = (event.clientY - start.clientY) / height;
    if (!changed && Math.hypot(right * width, down * height) < 3) return;
    if (!changed) [thing, first, changed] = [grasp(), { ...grasp() }, true];
    if (resizes) thing.side = within(first.side + right + down, SMALLEST);
    else [thing.x, thing.y] = [within(first.x + right), within(first.y + down)];
    preview();
  };
  const end = () => {
    scene.removeEventListener("pointermove", move);
    if (changed) commit();
  };
  scene.addEventListener("pointermove", move);
  for (const name of ["pointerup", "pointercancel"]) {
    scene.addEventListener(name, end, { once: true });
  }
}

/**
 * Move or resize a thing as a key says; false for another key.
 * @param {Thing} thing
 * @param {KeyboardEvent} event
 */
function moved(thing, { key, shiftKey }) {
  if (key === "+" || key === "=") thing.side = within(thing.side * GROWTH, SMALLEST);
  else if (key === "-") thing.side = within(thing.side / GROWTH, SMALLEST);
  else if (key in MOVES) {
    const [down, right] = MOVES[/** @type {keyof MOVES} */ (key)];
    const far = shiftKey ? 5 * STEP : STEP;
    [thing.x, thing.y] = [within(thing.x + right * far), within(thing.y + down * far)];
  } else return false;
  return true;
}

/** @param {number} share @param {number} [least] */
function within(share, least = 0) {
  return Math.min(1, Math.max(least, share));
}

/** @param {Thing} thing */
function rounded({ name, ...numbers }) {
  const round = (/** @type {number} */ value) => Math.round(1000 * value) / 1000;
  const { y, x, side } = numbers;
  return { name, y: round(y), x: round(x), side: round(side) };
}

/**
 * The place that is farthest from all things.
 * @param {Thing[]} things
 */
function freePlace(things) {
  const shares = [0.25, 0.5, 0.75];
  const places = shares.flatMap((y) => shares.map((x) => ({ y, x })));
  const distance = (/** @type {{y: number, x: number}} */ { y, x }) =>
    Math.min(...things.map((thing) => Math.hypot(thing.y - y, thing.x - x) - thing.side / 2));
  return places.reduce((best, place) => (distance(place) > distance(best) ? place : best));
}

/**
 * @param {Record<string, string>} words
 * @param {Thing} thing
 * @param {string} cutout
 * @param {number} zoom
 */
function createThing(words, thing, cutout, zoom) {
  const image = element("img", { src: cutout, alt: "", draggable: false });
  image.style.width = image.style.height = `${100 * zoom}%`;
  image.style.left = image.style.top = `${50 - 50 * zoom}%`;
  const handle = element("span", { className: "handle", title: words.resize });
  const node = element("div", { className: "thing", tabIndex: 0, role: "button" }, image, handle);
  node.setAttribute("aria-label", fill(words.thing, { name: thing.name }));
  node.title = words.keys;
  place(node, thing);
  return node;
}

/** @param {HTMLElement} node @param {Thing} thing */
function place(node, { y, x, side }) {
  node.style.left = `${100 * (x - side / 2)}%`;
  node.style.top = `${100 * (y - side / 2)}%`;
  node.style.width = node.style.height = `${100 * side}%`;
}

/** @param {string} label @param {string} title @param {() => void} act */
function createTool(label, title, act) {
  const tool = element("button", { textContent: label, title });
  tool.addEventListener("click", act);
  return tool;
}

/** @param {Record<string, string>} words */
function pickerWords({ search, close, nothing }) {
  return { search, close, nothing };
}

export default { render };
