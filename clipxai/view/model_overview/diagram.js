// What is the model made of, and what came out of every part? The block diagram, whose boxes are
// buttons that open.
// @ts-check
import { element, shape } from "../browser/element.js";
import { fill, twoDigits } from "../browser/number.js";
import { drawOutlines } from "../browser/outlines.js";
import { createSmallMap, paintSmallMap } from "./map.js";
import {
  followedPatch,
  lensAt,
  lensMap,
  railKind,
  railMap,
  railReads,
  reachOfShares,
  shareOf,
  spanOf,
} from "./numbers.js";
import { BUTTON, GAP, isCompact, placesOf, TOP } from "./places.js";
import { clampInto, isOne, moveFocus } from "./walk.js";
import { drawWires } from "./wires.js";

/** @import { Store } from "../browser/state.js" */
/** @import { Places } from "./places.js" */
/** @import { Placed } from "./walk.js" */
/** @import { Box, OverviewArrays, OverviewHeader, OverviewState } from "./types.js" */

const WIDEST = 8; // pixels of a line that adds most
const [JOINT, NAME] = [46, 16]; // heights of the cosine, and of the name of a map

/**
 * @param {OverviewHeader} header
 * @param {OverviewArrays} arrays
 * @param {Store<OverviewState>} store
 * @param {HTMLElement} photo what stands on the left
 */
export function createDiagram(header, arrays, store, photo) {
  const { words } = header;
  const wires = shape("svg", { class: "wires", "aria-hidden": "true" });
  const boxes = element("div", { className: "boxes", role: "group", "aria-label": words.boxes });
  const node = element("div", { className: "diagram" }, wires, photo, boxes);
  /** @type {Placed[]} */
  let placed = [];
  /** @type {{canvas: HTMLCanvasElement, station: number, rail: boolean}[]} */
  let maps = [];
  /** @type {HTMLCanvasElement[]} */
  let edges = []; // of what is true, on the last maps
  /** @type {{bar: HTMLElement, module: "attention" | "ffn", column: number}[]} */
  let bars = [];
  /** @type {ReturnType<typeof drawWires>} */
  let adds = [];
  /** @type {Places} */
  let at = placesOf(header, 980, store.state.layer);
  let built = "";
  const cosine = element("b", { className: "cosine" });
  const ofWhat = element("span");
  const spelled = element("div", { className: "spelled" });

  /**
   * A box that opens; the row it stands in and its place there are told by the keys.
   * @param {Box} box
   * @param {{first: number, last: number}} blocks
   * @param {[number, number, number, number]} area left, top, width, height
   * @param {string} name
   * @param {(Node | string)[]} children
   */
  const put = (box, { first, last }, [left, top, width, height], name, ...children) => {
    const open = () => store.set({ box, layer: clampInto(store.state.layer, first, last) });
    const button = element(
      "button",
      { type: "button", className: `box ${box}`, "aria-label": name, title: name, onclick: open },
      ...children,
    );
    Object.assign(button.style, {
      left: `${left}px`,
      top: `${top}px`,
      width: `${width}px`,
      height: `${height}px`,
    });
    boxes.append(button);
    placed.push({ node: button, box, first, last, centre: left + width / 2 });
  };
  /**
   * @param {string} text
   * @param {[number, number, number]} area left, top, width
   * @param {string} kind
   */
  const write = (text, [left, top, width], kind) => {
    const label = element("span", { className: `label ${kind}` }, text);
    Object.assign(label.style, { left: `${left}px`, top: `${top}px`, width: `${width}px` });
    boxes.append(label);
  };
  const small = (/** @type {number} */ station, rail = false) => {
    const canvas = createSmallMap(header);
    maps.push({ canvas, station, rail });
    return canvas;
  };
  const edge = () => {
    if (!header.outlines.some((lines) => lines.length)) return [];
    const canvas = element("canvas", { className: "outlines" });
    edges.push(canvas);
    return [canvas];
  };
  const build = () => {
    boxes.replaceChildren();
    [placed, maps, bars, edges] = [[], [], [], []];
    Object.assign(node.style, { height: `${at.height}px` });
    node.style.setProperty("--small", `${at.small}px`);
    node.style.setProperty("--photo", `${at.photo}px`);
    for (const [name, size] of [
      ["width", node.clientWidth],
      ["height", at.height],
    ]) {
      wires.setAttribute(String(name), String(size));
    }
    adds = drawWires(wires, header, at);
    const all = { first: 0, last: Math.max(header.layers - 1, 0) };
    const top = at.stream - at.small / 2;
    const inside = header.layers ? at.x : at.joint;
    const across = header.stream ? at.first - 4 : inside - at.start - 14;
    const start = header.stream ? small(0) : header.tower;
    put("image", all, [at.start, top, across, at.small], words.image_title, start);
    if (header.stream) write(words.patches, [at.start, top + at.small, at.first], "under");
    at.columns.forEach(putBlock);
    const final = header.stations - 1;
    // a map below the cosine, with its name above it, and another so
    const room = (at.height - JOINT - 2 * (NAME + 2)) / 2;
    const side = header.rail ? Math.min(at.wide - 8, room) : at.wide - 8;
    put("joint", all, [at.joint + 4, 0, at.wide - 8, JOINT], words.joint_title, cosine, ofWhat);
    const end = header.stream ? "stream" : "joint";
    const highest = JOINT + NAME + 2;
    const up = header.rail ? highest : Math.max(highest, at.stream - side / 2);
    const low = at.height - side;
    put(
      end,
      { first: all.last, last: all.last },
      [at.joint + 4, up, side, side],
      words.raw,
      small(final),
      ...edge(),
    );
    write(words.raw, [at.joint + 4, up - NAME, side], "over");
    if (header.rail) {
      const last = { first: all.last, last: all.last };
      const map = small(header.rail.blocks, true);
      put("rail", last, [at.joint + 4, low, side, side], words.surgery, map, ...edge());
      write(words.surgery, [at.joint + 4, low - NAME, side], "over");
    }
    putText(all);
  };
  const putBlock = (
    /** @type {{first: number, last: number}} */ column,
    /** @type {number} */ n,
  ) => {
    const { first, last } = column;
    const left = at.x + n * at.each;
    const group = last > first;
    const name = header.stream
      ? fill(group ? words.blocks : words.block, { first, last, layer: first })
      : words.pool;
    const tick = group ? `${first}–${last}` : header.stream ? (n ? String(first) : name) : name;
    write(tick, [left - 4, 0, at.each + 8], "tick");
    const wide = header.stream ? (at.each - GAP) / 2 : at.each - GAP;
    for (const [k, module] of /** @type {const} */ (["attention", "ffn"]).entries()) {
      if (k && !header.stream) continue;
      const bar = element("i", {});
      bars.push({ bar, module, column: n });
      const letter = element("span", {}, k ? "F" : "A");
      const title = `${name}, ${k ? "FFN" : words.attention_word}`;
      const area = /** @type {const} */ ([left + GAP / 2 + k * wide, TOP, wide - 1, at.boxes]);
      put(module, column, [...area], title, letter, bar);
    }
    const middle = left + (at.each - at.small) / 2;
    if (header.stream) {
      const area = /** @type {const} */ ([middle, at.stream - at.small / 2, at.small, at.small]);
      put("stream", column, [...area], `${words.stream_word}, ${name}`, small(last + 1));
    }
    const { rail } = header;
    if (!rail || last < header.layers - rail.blocks) return;
    const station = last - (header.layers - rail.blocks) + 1;
    const top = at.rail - at.small / 2 - 4 - BUTTON;
    const kind = element("span", { className: "kind" });
    put("rail", column, [left + 1, top, at.each - 2, BUTTON], `${words.rail_word}, ${name}`, kind);
    if (station + header.rail_stations <= rail.blocks) return; // that map did not travel
    const map = small(station, true);
    put(
      "rail",
      column,
      [middle, at.rail - at.small / 2, at.small, at.small],
      `${words.rail_word}, ${name}`,
      map,
    );
  };
  const putText = (/** @type {{first: number, last: number}} */ all) => {
    const room = boxes.clientWidth - at.text || 92;
    if (!header.readings.length) {
      write(words.text_tower, [at.text, 4, room], "tower");
      return;
    }
    const steps = Array.from({ length: header.text_layers }, () => element("i", {}));
    const stack = element("span", { className: "stack" }, ...steps);
    put("text", all, [at.text, 0, room, 46], words.text_blocks, words.text_blocks, stack);
    Object.assign(spelled.style, { left: `${at.text}px`, width: `${room}px` });
    spelled.style.maxHeight = `${at.height - 78}px`;
    boxes.append(spelled);
  };
  /** Which numbers are shown, for another text or setting. */
  const show = () => {
    const { state } = store;
    for (const { canvas, station, rail } of maps) {
      const values = rail
        ? railMap(header, arrays, station, state)
        : lensMap(header, arrays, station, state.text);
      canvas.hidden = !values;
      if (values) paintSmallMap(canvas, header, arrays, values, spanOf(values));
    }
    const [lines, grid] = [header.outlines[state.text], header.grids[0]];
    for (const canvas of edges) {
      canvas.hidden = !lines.length;
      if (lines.length) drawOutlines(canvas, lines, grid, grid, [[0, 0]]);
    }
    for (const kind of boxes.querySelectorAll(".kind")) {
      const box = /** @type {HTMLElement} */ (kind.parentElement);
      kind.textContent = railKind(header, state);
      box.setAttribute("aria-label", `${box.title}: ${kind.textContent}`);
    }
    wires.classList.toggle("own", railReads(header, state));
    const tokens = header.readings[state.text] ?? [];
    const chips = tokens.map((token, word) => {
      const onclick = () => store.set({ word, box: "text" });
      return element("button", { type: "button", className: "word", onclick }, token);
    });
    spelled.replaceChildren(...chips);
  };
  const follow = () => {
    const { state } = store;
    const patch = followedPatch(header, state);
    const reach = reachOfShares(header, arrays, state.text, patch < 0);
    for (const { bar, module, column } of bars) {
      const share = shareOf(header, arrays, module, at.columns[column], state.text, patch);
      const part = share === null || !reach ? 0 : Math.max(-1, Math.min(1, share / reach));
      bar.hidden = share === null;
      bar.className = part < 0 ? "minus" : "plus";
      bar.style.height = `${35 * Math.abs(part)}%`;
    }
    for (const { plus, module, column } of adds) {
      const share = shareOf(header, arrays, module, at.columns[column], state.text, patch);
      const part = reach && share !== null ? Math.min(1, Math.abs(share) / reach) : 0;
      const sign = share === null ? "" : share < 0 ? "minus" : "plus";
      plus.setAttribute("class", `adds ${sign}`);
      plus.setAttribute("stroke-width", String(1 + (WIDEST - 1) * part));
    }
    cosine.textContent = twoDigits(lensAt(header, arrays, header.stations - 1, state.text, patch));
    const of = patch < 0 ? words.cosine : words.cosine_of_patch;
    ofWhat.textContent = ` ${of}`;
    const told = `${words.joint_title}: ${cosine.textContent} ${of}`;
    cosine.parentElement?.setAttribute("aria-label", told);
    for (const { node: one, box, first, last } of placed) {
      const on = box === state.box && (isOne(box) || (state.layer >= first && state.layer <= last));
      one.setAttribute("aria-expanded", String(on));
      one.tabIndex = -1;
    }
    for (const [n, chip] of [...spelled.children].entries()) {
      chip.setAttribute("aria-pressed", String(n === state.word));
    }
    const open = placed.find(({ node: one }) => one.getAttribute("aria-expanded") === "true");
    (open ?? placed[0]).node.tabIndex = 0;
  };
  boxes.addEventListener("keydown", (event) => moveFocus(event, placed));
  return {
    node,
    boxes,
    show,
    follow,
    /** Builds again what another width or another open block moves. */
    place() {
      const width = node.clientWidth || 980;
      node.closest(".figure")?.classList.toggle("compact", isCompact(width));
      at = placesOf(header, width, store.state.layer);
      const key = JSON.stringify(at) + node.clientWidth;
      if (key === built) return;
      const focus = /** @type {ShadowRoot} */ (node.getRootNode()).activeElement;
      const held = placed.find((one) => one.node === focus);
      built = key;
      build();
      show();
      follow();
      if (!held) return;
      const { box, layer } = store.state;
      const next = placed.find((one) => one.box === box && one.first <= layer && one.last >= layer);
      next?.node.focus();
    },
    /** Where the open box is, from the left. */
    pointer() {
      const open = placed.find(({ node: one }) => one.getAttribute("aria-expanded") === "true");
      return open?.centre ?? at.x;
    },
  };
}
