// The stage: things are dragged, resized and removed on it, by pointer, finger or key.
// @ts-check
import { context2d, fitToScreen } from "../../view/browser/draw.js";
import { element } from "../../view/browser/element.js";
import { LARGEST, SMALLEST } from "./limits.js";
import { boxOf, drawScene } from "./scene.js";

/** @import { Store } from "../../view/browser/state.js" */
/** @import { Sheets } from "./scene.js" */
/** @import { PlayState, Thing } from "./types.js" */

const GRIP = 14; // CSS pixels around the corner that resizes
const [STEP, GROWTH] = [0.02, 1.1]; // of a key

/**
 * @param {Sheets} sheets
 * @param {Store<PlayState>} store
 * @param {Record<string, string>} words
 */
export function createCanvas(sheets, store, words) {
  const canvas = element("canvas", {
    className: "scene",
    tabIndex: 0,
    role: "application",
    "aria-label": words.stage,
  });
  /** @type {{n: number, dx: number, dy: number, resizing: boolean} | null} */
  let held = null;
  /** @type {unknown[]} */
  let painted = [];

  const replace = (/** @type {number} */ n, /** @type {Partial<Thing>} */ change) => {
    const things = store.state.things.map((thing, i) =>
      i === n ? within({ ...thing, ...change }) : thing,
    );
    store.set({ things });
  };
  const place = (/** @type {PointerEvent} */ event) => {
    const area = canvas.getBoundingClientRect();
    const x = (event.clientX - area.left) / area.width;
    return { x, y: (event.clientY - area.top) / area.height, near: GRIP / area.width };
  };
  canvas.addEventListener("pointerdown", (event) => {
    const at = place(event);
    const { things, selected } = store.state;
    const chosen = selected === null ? null : things[selected];
    const corner = chosen && distance(at, gripOf(chosen)) < 1.6 * at.near;
    const n = corner ? /** @type {number} */ (selected) : thingAt(things, at);
    store.set({ selected: n });
    if (n === null) return; // the page may scroll
    const { x, y } = things[n];
    held = { n, dx: at.x - x, dy: at.y - y, resizing: Boolean(corner) };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    const at = place(event);
    if (!held) {
      const over = thingAt(store.state.things, at) !== null;
      canvas.style.cursor = over ? "grab" : "default";
      return;
    }
    if (held.resizing) {
      const { x, y } = store.state.things[held.n];
      replace(held.n, { side: 2 * Math.max(at.x - x, at.y - y) });
    } else replace(held.n, { x: at.x - held.dx, y: at.y - held.dy });
  });
  for (const name of /** @type {const} */ (["pointerup", "pointercancel"])) {
    canvas.addEventListener(name, () => (held = null));
  }
  // a finger on a thing drags it, beside one it scrolls the page
  canvas.addEventListener(
    "touchstart",
    (event) => {
      if (held && event.cancelable) event.preventDefault();
    },
    { passive: false },
  );
  canvas.addEventListener("keydown", (event) => {
    const { things, selected } = store.state;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter" || event.key === " ") {
      const n = things.length ? ((selected ?? -1) + 1) % things.length : null;
      store.set({ selected: n });
    } else if (selected === null || !things[selected]) return;
    else if (Object.hasOwn(MOVES, event.key)) {
      const [dx, dy] = MOVES[event.key];
      replace(selected, { x: things[selected].x + dx, y: things[selected].y + dy });
    } else if (event.key === "+" || event.key === "=") {
      replace(selected, { side: things[selected].side * GROWTH });
    } else if (event.key === "-") replace(selected, { side: things[selected].side / GROWTH });
    else if (event.key === "Delete" || event.key === "Backspace") removeSelected(store);
    else return;
    event.preventDefault();
  });
  return {
    node: canvas,
    resize: (/** @type {number} */ by) => {
      const { selected, things } = store.state;
      if (selected !== null) replace(selected, { side: things[selected].side * by });
    },
    /** Its size on the screen may be another. */
    fit: () => (painted = []),
    paint(/** @type {PlayState} */ state) {
      const wanted = [state.things, state.background, state.selected];
      if (wanted.every((one, n) => one === painted[n]) && painted.length) return;
      if (!painted.length) fitToScreen(canvas);
      painted = wanted;
      drawScene(canvas, sheets, state);
      if (state.selected !== null && state.things[state.selected]) {
        mark(canvas, state.things[state.selected]);
      }
    },
  };
}

/** @type {Record<string, [number, number]>} */
const MOVES = {
  ArrowLeft: [-STEP, 0],
  ArrowRight: [STEP, 0],
  ArrowUp: [0, -STEP],
  ArrowDown: [0, STEP],
};

/** @param {Store<PlayState>} store */
export function removeSelected(store) {
  const { things, selected } = store.state;
  if (selected === null) return;
  store.set({ things: things.filter((_, n) => n !== selected), selected: null });
}

/**
 * A thing of a size that can be seen, its centre on the picture.
 * @param {Thing} thing
 * @returns {Thing}
 */
export function within({ name, x, y, side }) {
  const clip = (/** @type {number} */ v, /** @type {number} */ low, /** @type {number} */ high) =>
    Math.round(1000 * Math.min(Math.max(v, low), high)) / 1000;
  return { name, x: clip(x, 0, 1), y: clip(y, 0, 1), side: clip(side, SMALLEST, LARGEST) };
}

/**
 * The foremost thing at a place.
 * @param {Thing[]} things
 * @param {{x: number, y: number}} at
 */
function thingAt(things, at) {
  for (let n = things.length - 1; n >= 0; n--) {
    const { x, y, side } = things[n];
    if (Math.max(Math.abs(at.x - x), Math.abs(at.y - y)) < side / 2) return n;
  }
  return null;
}

/** @param {Thing} thing */
function gripOf({ x, y, side }) {
  return { x: Math.min(x + side / 2, 0.99), y: Math.min(y + side / 2, 0.99) };
}

/**
 * @param {{x: number, y: number}} a
 * @param {{x: number, y: number}} b
 */
function distance(a, b) {
  return Math.hypot(a.x - b.x, a.y - b.y);
}

/**
 * A frame around the thing that is chosen, with the corner that resizes it.
 * @param {HTMLCanvasElement} canvas
 * @param {Thing} thing
 */
function mark(canvas, thing) {
  const context = context2d(canvas);
  const ratio = canvas.width / Math.max(1, canvas.clientWidth);
  const [left, top, side] = boxOf(thing, canvas.width);
  const grip = gripOf(thing);
  for (const [colour, width] of /** @type {[string, number][]} */ ([
    ["#202020", 4],
    ["#fff", 2],
  ])) {
    context.strokeStyle = colour;
    context.lineWidth = width * ratio;
    context.strokeRect(left, top, side, side);
  }
  context.beginPath();
  context.arc(grip.x * canvas.width, grip.y * canvas.height, 7 * ratio, 0, 2 * Math.PI);
  context.fillStyle = "#fff";
  context.fill();
  context.strokeStyle = "#202020";
  context.lineWidth = 1.5 * ratio;
  context.stroke();
}
