// What would the score be without each part? Grids of what is lost and, beside it, of what each
// part added.
// @ts-check
import { createControls, createHelpControls, createTextChips } from "../browser/controls.js";
import { context2d, fitToScreen, strokeOutline } from "../browser/draw.js";
import { element } from "../browser/element.js";
import { below, restored } from "../browser/keep.js";
import { fill, signed } from "../browser/number.js";
import { colourOf, inkOn } from "../browser/sentence.js";
import { createSmallPrint, createTableDetails } from "../browser/small_print.js";
import { createStage } from "../browser/stage.js";
import { startViewer } from "../browser/start.js";
import { clamp, createStore, UNTOUCHED } from "../browser/state.js";
import { createDetails, DETAILS_STYLE } from "./details.js";

/** @import { Checks } from "../browser/keep.js" */
/** @import { Store } from "../browser/state.js" */
/** @import { EffectArrays, EffectHeader, EffectState } from "./types.js" */

const ROOM = 48; // pixels that a number needs
const STYLE = `
.effect_grid .stage {
  grid-template-columns: minmax(0, 220px) repeat(var(--grids), minmax(0, 480px));
}
.effect_grid .stage { align-items: start; }
.effect_grid .panel { grid-template-rows: auto; }
.effect_grid .picture { cursor: auto; }
.effect_grid .status { margin: 0 0 8px; font-size: 15px; font-weight: 600; }
.effects { display: grid; gap: 1px; font-size: 12px; font-variant-numeric: tabular-nums; }
.effects b { grid-column: 1 / -1; font-size: 13px; }
.effects span {
  text-align: center; white-space: nowrap; overflow: hidden; line-height: 22px; min-height: 22px;
  text-overflow: ellipsis;
}
.effects .name { text-align: left; font-size: 12px; color: var(--quiet); }
.effects .tick { color: var(--quiet); overflow: visible; }
.effects [data-cell] { cursor: pointer; }
.effects [data-apart] { border-top: 2px dotted var(--ink, currentColor); line-height: 20px; }
.effects [data-shown] { outline: 2px solid var(--chosen); outline-offset: -1px; z-index: 1; }
.effects .few { color: transparent !important; }
@container (max-width: 820px) {
  .effect_grid .stage { grid-template-columns: minmax(0, 1fr); }
  .effect_grid .photo { display: none; }
}
`;

/**
 * @param {EffectHeader} header
 * @param {EffectArrays} arrays
 * @param {unknown} view
 */
function build(header, arrays, view) {
  const { words, texts, parts, layers } = header;
  /** @type {EffectState} */
  const first = {
    ...{ ...UNTOUCHED, scaling: 0, smooth: true },
    ...{ text: 0, at: header.first, preview: null },
  };
  /** @type {Checks<EffectState>} */
  const checks = { text: below(texts.length), at: below(parts.length * layers.length) };
  const store = createStore({ ...first, ...restored(view, checks) }, header.grids);
  const on = {
    preview: (/** @type {number | null} */ preview) => {
      if (preview !== store.state.preview) store.set({ preview });
    },
    choose: (/** @type {number} */ at) => store.set({ at }),
  };
  const grids = header.titles.map((_, grid) => createEffects(header, arrays, grid, on));
  const photo = createPhoto(header);
  const details = header.details ? createDetails(header, arrays, store, photo.node) : null;
  const nodes = [details?.node ?? photo.node, ...grids.map(({ node }) => node)];
  const stage = createStage(header.summary, words.keys, store, keysOf(header, store), ...nodes);
  stage.style.setProperty("--alpha", String(header.alpha));
  stage.style.setProperty("--grids", String(grids.length));
  const print = createSmallPrint(words.help);
  const table = createTableDetails(words.table, () => header.tables[store.state.text]);
  const chips = createTextChips(texts, (text) => store.set({ text }));
  const says = (/** @type {EffectState} */ state) => statusOf(header, arrays, state);
  const rebuild = () => {
    const { text } = store.state;
    for (const grid of grids) grid.fill(text);
    print.write([...header.captions[text], ...header.dropped]);
    table.show();
  };
  return {
    nodes: [
      createControls(chips.bar, ...createHelpControls(store)),
      print.status,
      stage,
      print.help,
      print.caption,
      table.details,
    ],
    store,
    checks,
    says,
    story: (/** @type {EffectState} */ { text }) => header.stories[text],
    rebuild,
    change: (/** @type {EffectState} */ now, /** @type {EffectState} */ before) => {
      if (now.text === before.text) return;
      rebuild();
      photo.draw(now.text);
    },
    paint() {
      const { state } = store;
      chips.show(state.text);
      print.show(state);
      print.status.textContent = says(state);
      for (const grid of grids) grid.mark(shownCell(state));
      details?.show(state);
    },
    draw() {
      for (const grid of grids) grid.fit();
      photo.draw(store.state.text);
      details?.draw(store.state);
    },
  };
}

/**
 * The cell that is told of.
 * @param {EffectState} state
 */
export function shownCell(state) {
  return state.preview ?? state.at;
}

/**
 * Brackets choose a layer, braces a row.
 * @param {EffectHeader} header
 * @param {Store<EffectState>} store
 */
function keysOf({ layers, parts }, store) {
  const step = (/** @type {number} */ across, /** @type {number} */ down) => () => {
    const at = shownCell(store.state);
    const row = clamp(Math.floor(at / layers.length) + down, parts.length);
    const column = clamp((at % layers.length) + across, layers.length);
    store.set({ preview: null, at: row * layers.length + column });
  };
  return { "[": step(-1, 0), "]": step(1, 0), "{": step(0, -1), "}": step(0, 1) };
}

/**
 * One grid, parts down and layers across.
 * @param {EffectHeader} header
 * @param {EffectArrays} arrays
 * @param {number} grid
 * @param {{preview: (at: number | null) => void, choose: (at: number) => void}} on
 */
function createEffects(header, arrays, grid, on) {
  const { layers, parts, ticks, titles, words } = header;
  const size = parts.length * layers.length;
  const cells = Array.from({ length: size }, (_, at) => {
    const cell = element("span");
    cell.dataset.cell = String(at);
    return cell;
  });
  const node = element(
    "div",
    { className: "effects", role: "img", "aria-label": fill(words.grid, { title: titles[grid] }) },
    element("b", {}, titles[grid]),
    ...parts.flatMap((name, row) => [
      element("span", { className: "name", title: name }, name),
      ...cells.slice(row * layers.length, (row + 1) * layers.length),
    ]),
    element("span"),
    ...ticks.map((tick) => element("span", { className: "tick" }, tick)),
  );
  node.style.gridTemplateColumns = `56px repeat(${layers.length}, minmax(0, 1fr))`;
  node.addEventListener("pointerover", (event) => on.preview(cellUnder(event)));
  node.addEventListener("pointerleave", () => on.preview(null));
  node.addEventListener("click", (event) => {
    const at = cellUnder(event);
    if (at !== null) on.choose(at);
  });
  return {
    node,
    /** @param {number} text */
    fill(text) {
      const scale = header.scales[text][grid];
      const start = (text * titles.length + grid) * size;
      cells.forEach((cell, at) => {
        const value = arrays.cells[start + at];
        const colour = colourOf(value, scale, arrays[header.diverging]);
        cell.textContent = signed(value);
        cell.toggleAttribute("data-apart", arrays.apart[text * size + at] > 0);
        Object.assign(cell.style, { background: `rgb(${colour})`, color: inkOn(colour) });
        cell.style.setProperty("--ink", inkOn(colour)); // a mark stays where its number has no room
      });
    },
    /** @param {number} shown */
    mark(shown) {
      cells.forEach((cell, at) => cell.toggleAttribute("data-shown", at === shown));
    },
    /** Numbers only where they have room. */
    fit() {
      for (const cell of cells) cell.classList.toggle("few", cell.clientWidth < ROOM);
    },
  };
}

/**
 * @param {Event} event
 * @returns {number | null}
 */
function cellUnder(event) {
  const { cell } = /** @type {HTMLElement} */ (event.target).dataset;
  return cell === undefined ? null : Number(cell);
}

/**
 * The photo, with the outline of what the text names.
 * @param {EffectHeader} header
 */
function createPhoto({ grids, outlines, photo, words }) {
  const [H, W] = grids[0].image_size;
  const canvas = element("canvas", { className: "layer" });
  const image = element("img", { src: photo, alt: "" });
  const picture = element("div", { className: "picture" }, image, canvas);
  picture.style.setProperty("--aspect", String(W / H));
  const title = element("figcaption", {}, element("b", {}, words.image));
  return {
    node: element("figure", { className: "panel photo" }, title, picture),
    /** @param {number} text */
    draw(text) {
      fitToScreen(canvas);
      context2d(canvas).clearRect(0, 0, canvas.width, canvas.height);
      for (const line of outlines[text]) strokeOutline(canvas, line, grids[0].image_size);
    },
  };
}

/**
 * The shown cell in a line.
 * @param {EffectHeader} header
 * @param {EffectArrays} arrays
 * @param {EffectState} state
 */
export function statusOf(header, arrays, state) {
  const { details, words } = header;
  const cell = shownCell(state);
  const name = details?.names[cell];
  const told = effectOf(header, arrays, state);
  const status = name ? fill(words.named, { status: told, name }) : told;
  const turned = details?.turned[state.text][details.mapped.indexOf(cell)];
  return turned ? fill(words.turned, { status, turned }) : status;
}

/**
 * What is lost without the shown cell, and its share.
 * @param {EffectHeader} header
 * @param {EffectArrays} arrays
 * @param {EffectState} state
 */
function effectOf({ layers, parts, titles, words }, arrays, state) {
  const size = parts.length * layers.length;
  const at = shownCell(state);
  const start = state.text * titles.length * size;
  const status = fill(words.status, {
    layer: layers[at % layers.length],
    part: parts[Math.floor(at / layers.length)],
    cosine: arrays.similarity[state.text],
    lost: arrays.cells[start + at],
  });
  if (titles.length < 2) return status;
  const apart = arrays.apart[state.text * size + at] ? words.apart : "";
  return fill(words.with_share, { status, share: arrays.cells[start + size + at], apart });
}

export default startViewer("effect_grid", STYLE + DETAILS_STYLE, build);
