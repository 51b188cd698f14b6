// One map of a ranking by eye: under a letter, to be moved, then under its name with its outline.
// @ts-check
import {
  context2d,
  dimOutside,
  fitToScreen,
  hatchNaN,
  paintMap,
  strokeOutline,
} from "../browser/draw.js";
import { element } from "../browser/element.js";
import { fill } from "../browser/number.js";
import { createPicture, drawMarks, pointing } from "../browser/picture.js";
import { clamp } from "../browser/state.js";

/** @import { Store } from "../browser/state.js" */
/** @import { BlindArrays, BlindHeader, BlindState } from "./types.js" */

const MAP_SIDE = 300; // pixels a map is computed at on its longer side
export const CARD_STYLE = `
.blind_ranking .panel { grid-row: span 3; grid-template-rows: subgrid; align-self: stretch; }
.blind_ranking .stage { row-gap: 3px; }
.blind_ranking .photo figcaption span { display: none; }
.blind_ranking figcaption b {
  display: block; white-space: nowrap; text-overflow: ellipsis;
}
.blind_ranking .card[draggable="true"] { cursor: grab; }
.blind_ranking .card[draggable="true"] figcaption { touch-action: none; }
.blind_ranking .card[data-over] { outline: 3px solid var(--accent); outline-offset: 1px; }
.foot { min-height: 42px; min-width: 0; margin-bottom: 6px; }
.foot .moves { display: flex; gap: 4px; margin-top: 3px; }
.foot button {
  flex: 1 1 0; min-width: 0; min-height: 26px; padding: 0 2px; font: inherit; font-size: 12.5px;
  color: var(--text); background: transparent; border: 1px solid var(--line); border-radius: 4px;
  cursor: pointer; white-space: nowrap; overflow: hidden;
}
.foot button[aria-disabled="true"] { opacity: 0.4; cursor: default; }
.foot b { display: block; font-size: 15px; line-height: 1.35; }
@container (max-width: 640px) {
  .blind_ranking figcaption b { white-space: normal; font-size: 13px; line-height: 1.15; }
  .foot b { font-size: 13px; line-height: 1.2; }
  .foot button span { display: none; } /* the arrows stay, and what a button is called */
}
.foot > * > span, .foot > span { font-size: 12px; color: var(--quiet); white-space: nowrap; }
.votes {
  display: flex; align-items: flex-end; gap: 2px; height: 40px; margin: 2px 0;
  border-bottom: 1px solid var(--line);
}
.votes i { position: relative; flex: 1 1 0; height: 100%; border: 2px solid transparent; }
.votes i[data-true] { border-color: var(--chosen); }
.votes u { position: absolute; left: 0; right: 0; bottom: 0; background: var(--plus); }
@container (max-width: 860px) {
  .blind_ranking figcaption b, .foot b { font-size: 13px; }
  .foot { min-height: 30px; }
  .foot span { display: none; }
  .votes { height: 28px; }
}
@media (max-height: 700px) {
  .figure:not(.lecture) .foot > * > span, .figure:not(.lecture) .foot > span { display: none; }
  .figure:not(.lecture) .votes { height: 28px; }
}
`;

/**
 * @param {BlindHeader} header
 * @param {BlindArrays} arrays
 * @param {number} n
 * @param {Store<BlindState>} store
 */
export function createCard(header, arrays, n, store) {
  const { grids, maps, words } = header;
  const [grid, { letter, scale }] = [grids[n], maps[n]];
  const values = arrays[`map${n}`];
  const layers = ["layer map", "layer", "layer"].map((className) =>
    element("canvas", { className }),
  );
  const [map, fixed, marks] = layers;
  const picture = createPicture(header, n, layers, pointing(store));
  const heading = element("b");
  const buttons = createMoves(header, n, store);
  const moves = element("div", { className: "moves" }, ...buttons);
  const foot = element("div", { className: "foot" }, moves);
  const caption = element("figcaption", {}, heading);
  const node = element("figure", { className: "panel card" }, caption, picture, foot);
  makeDraggable(node, n, store);
  makeDraggableByFinger(node, caption, n, store);
  let painted = "";
  const paint = (/** @type {BlindState} */ { smooth }) => {
    const [H, W] = grid.image_size;
    map.width = Math.max(1, Math.round((MAP_SIDE * W) / Math.max(H, W)));
    map.height = Math.max(1, Math.round((MAP_SIDE * H) / Math.max(H, W)));
    paintMap(map, values, grid, scale, arrays.viridis, smooth);
  };
  const decorate = (/** @type {BlindState} */ { revealed }) => {
    context2d(fixed).clearRect(0, 0, fixed.width, fixed.height);
    dimOutside(fixed, grid, header.dim);
    hatchNaN(fixed, values, grid);
    if (!revealed) return;
    for (const points of header.outlines) strokeOutline(fixed, points, grid.image_size);
  };
  const update = (/** @type {BlindState} */ state) => {
    const { order, revealed } = state;
    const place = 1 + order.indexOf(n);
    const { name } = maps[n];
    const title = fill(revealed ? words.named : words.hidden, { place, letter, name });
    heading.textContent = heading.title = title;
    buttons[0].setAttribute("aria-disabled", String(place === 1)); // disabled would lose the focus
    buttons[1].setAttribute("aria-disabled", String(place === order.length));
    node.draggable = !revealed;
    const wanted = `${state.smooth} ${revealed}`;
    if (painted !== wanted) {
      paint(state);
      decorate(state);
      if (revealed) foot.replaceChildren(...revealedOf(header, n));
    }
    painted = wanted;
    drawMarks(marks, grids, n, state);
  };
  const draw = (/** @type {BlindState} */ state) => {
    painted = "";
    fitToScreen(fixed);
    fitToScreen(marks);
    update(state);
  };
  return { node, update, draw };
}

/**
 * Buttons that move a map by one place.
 * @param {BlindHeader} header
 * @param {number} n
 * @param {Store<BlindState>} store
 */
function createMoves({ maps, words }, n, store) {
  const { letter } = maps[n];
  const move = (/** @type {number} */ by) => () => {
    const { order } = store.state;
    const place = clamp(order.indexOf(n) + by, order.length);
    store.set({ order: movedTo(order, n, place), moved: n });
  };
  return /** @type {const} */ ([
    [["◀", element("span", {}, ` ${words.better}`)], words.move_better, -1],
    [[element("span", {}, `${words.worse} `), "▶"], words.move_worse, 1],
  ]).map(([label, told, by]) => {
    const name = fill(told, { letter });
    const properties = { type: /** @type {const} */ ("button"), onclick: move(by), title: name };
    return element("button", { ...properties, "aria-label": name }, ...label);
  });
}

/**
 * A map takes the place of the one that it is dropped on.
 * @param {HTMLElement} node
 * @param {number} n
 * @param {Store<BlindState>} store
 */
function makeDraggable(node, n, store) {
  node.addEventListener("dragstart", (event) => {
    event.dataTransfer?.setData("text/plain", String(n));
  });
  node.addEventListener("dragover", (event) => {
    if (store.state.revealed) return;
    event.preventDefault();
    node.dataset.over = "";
  });
  node.addEventListener("dragleave", () => delete node.dataset.over);
  node.addEventListener("drop", (event) => {
    event.preventDefault();
    delete node.dataset.over;
    const moved = Number(event.dataTransfer?.getData("text/plain") || NaN);
    const { order, revealed } = store.state;
    if (revealed || !order.includes(moved)) return;
    store.set({ order: movedTo(order, moved, order.indexOf(n)), moved });
  });
}

/**
 * Fingers and pens start no drag of the browser's own; they move a map by its title, and scroll
 * everywhere else.
 * @param {HTMLElement} node
 * @param {HTMLElement} handle
 * @param {number} n
 * @param {Store<BlindState>} store
 */
function makeDraggableByFinger(node, handle, n, store) {
  node.dataset.card = String(n);
  /** @type {HTMLElement | null} */
  let over = null;
  let held = false;
  const mark = (/** @type {HTMLElement | null} */ card) => {
    if (over) delete over.dataset.over;
    over = card;
    if (over) over.dataset.over = "";
  };
  handle.addEventListener("pointerdown", (event) => {
    held = event.pointerType !== "mouse" && !store.state.revealed;
    if (held) handle.setPointerCapture(event.pointerId);
  });
  handle.addEventListener("pointermove", ({ clientX, clientY }) => {
    if (!held) return;
    const root = /** @type {Document | ShadowRoot} */ (node.getRootNode());
    mark(root.elementFromPoint(clientX, clientY)?.closest(".card") ?? null);
  });
  handle.addEventListener("pointerup", () => {
    const place = store.state.order.indexOf(Number(over?.dataset.card ?? NaN));
    if (held && place >= 0) store.set({ order: movedTo(store.state.order, n, place), moved: n });
    held = false;
    mark(null);
  });
  handle.addEventListener("pointercancel", () => {
    held = false;
    mark(null);
  });
}

/**
 * An order with one of it in another place.
 * @param {number[]} order
 * @param {number} n
 * @param {number} place from 0
 */
export function movedTo(order, n, place) {
  const others = order.filter((one) => one !== n);
  return [...others.slice(0, place), n, ...others.slice(place)];
}

/**
 * What stands below a map that is revealed: how a class ranked it, and the truth.
 * @param {BlindHeader} header
 * @param {number} n
 */
function revealedOf({ maps, counts }, n) {
  const { verdict, told, rank, place } = maps[n];
  const truth = [element("b", { title: told }, verdict), element("span", { title: rank }, rank)];
  if (!counts) return truth;
  const most = Math.max(...counts.flat());
  const bars = counts[n].map((count, at) => {
    const bar = element("u");
    bar.style.height = `${(100 * count) / most}%`;
    const slot = element("i", { title: `${at + 1}: ${count}` }, bar);
    slot.toggleAttribute("data-true", at + 1 === place);
    return slot;
  });
  const named = {
    role: "img",
    "aria-label": counts[n].map((c, at) => `${at + 1}: ${c}`).join(", "),
  };
  return [element("div", { className: "votes", ...named }, ...bars), ...truth];
}
