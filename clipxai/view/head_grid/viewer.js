// Which attention head fetched the answer, and from where? Layers and heads as a grid of signed shares, and the maps of what was fetched.
// @ts-check
import { colourOf, inkOn } from "../browser/chips.js";
import {
  bringToLife,
  createMapControls,
  createPlainTable,
  createSelect,
  createStage,
  createTableDetails,
  viewerOf,
} from "../browser/controls.js";
import { unpack } from "../browser/decode.js";
import { below, isFlag, isShare, patchIn, restored } from "../browser/keep.js";
import { asMaps, createMapPanel, createPhotoPanel, isFlat } from "../browser/panel.js";
import { createChips, element, titleOf } from "../browser/shell.js";
import { clamp, createStore, focused, sameCell } from "../browser/state.js";
import { format, signed } from "../browser/number.js";

const HELP =
  "Move over a cell to see what that head fetched, click to keep it. Move over a patch to read it, click to pin it, Esc unpins. " +
  "Keys: arrows move by one patch, [ and ] by one layer, { and } by one head, Space pins, ? shows this line. Layers and heads count from 0.";
const STYLE = `
.heads .stage { grid-template-columns: repeat(3, minmax(0, 300px)) ; align-items: start; }
.heads .panel { grid-template-rows: auto auto 8px 18px 0 18px; align-self: start; }
.heads .grid { grid-column: 1 / -1; display: grid; gap: 1px; font-size: 11px; font-variant-numeric: tabular-nums; margin-top: 4px; }
.grid span { text-align: center; white-space: nowrap; overflow: hidden; line-height: 22px; min-height: 22px; }
.grid .name { text-align: left; font-size: 12px; color: var(--quiet); } .grid .tick { color: var(--quiet); }
.grid [data-head] { cursor: pointer; } .grid .bias { margin-top: 5px; }
.grid [data-shown] { outline: 2px solid #e8590c; outline-offset: -1px; z-index: 1; }
.few { color: transparent !important; }
@container (max-width: 620px) { .heads .stage { grid-template-columns: repeat(2, minmax(0, 1fr)); } .heads .photo { display: none; } }
`;
const DIVERGING = "RdBu_r";
const ROOM = 46; // pixels that a number needs

/** @param {any} model @param {HTMLElement} el @returns {() => void} */
function buildHeads(model, el) {
  const payload = model.get("payload");
  const { header } = payload;
  const arrays = unpack(payload);
  const [layer, head] = header.head;
  const count = header.layers * header.heads;
  const first = {
    hover: null,
    pinned: null,
    help: false,
    scaling: 0,
    alpha: 0.6,
    smooth: true,
    text: 0,
    at: layer * header.heads + head,
    preview: null,
  };
  const checks = {
    text: below(header.texts.length),
    at: below(count),
    scaling: below(header.scalings.length),
    alpha: isShare,
    smooth: isFlag,
    pinned: patchIn(header.grids),
  };
  const store = createStore({ ...first, ...restored(model.get("view"), checks) }, header.grids);
  const parts = createHeadParts(header, arrays, store);
  const change = (/** @type {any} */ now, /** @type {any} */ before) => {
    if (now.text !== before.text) parts.rebuild();
    else if (shownHead(now) !== shownHead(before)) parts.swap();
  };
  const says = (/** @type {any} */ state) => headStatus(header, arrays, state);
  return bringToLife(model, el, {
    name: "heads",
    css: STYLE,
    store,
    checks,
    ...parts,
    change,
    says,
  });
}

/** The head whose map is shown, layer by layer. @param {any} state @returns {number} */
export function shownHead(state) {
  return state.preview ?? state.at;
}

/** @param {any} header @param {Record<string, any>} arrays @param {any} store */
function createHeadParts(header, arrays, store) {
  const set = (/** @type {object} */ values) => store.dispatch({ type: "set", values });
  const step = (/** @type {number} */ layers, /** @type {number} */ heads) => () => {
    const at = shownHead(store.state);
    const [layer, head] = [
      clamp(Math.floor(at / header.heads) + layers, header.layers),
      clamp((at % header.heads) + heads, header.heads),
    ];
    set({ preview: null, at: layer * header.heads + head });
  };
  const keys =
    "Arrow keys move over the patches, brackets over the layers, braces over the heads, Space pins, question mark helps.";
  const photo = createPhotoPanel(header, store);
  const view = headView(header, arrays, store.state);
  const panels = [0, 1].map((n) => createMapPanel(view.header, view.arrays, n, store));
  const grid = createGrid(header, arrays, set);
  const stage = createStage(
    header.summary,
    keys,
    store,
    { "[": step(-1, 0), "]": step(1, 0), "{": step(0, -1), "}": step(0, 1) },
    photo.node,
    ...panels.map((panel) => panel.node),
    grid.node,
  );
  const [status, closure, caption] = ["status", "closure", "caption"].map((className) =>
    element("div", { className }),
  );
  const help = element("p", { className: "help", hidden: true }, HELP);
  const table = createTableDetails("Table: the 10 strongest heads", () =>
    createHeadTable(header, arrays, store.state.text),
  );
  const choices = header.texts.map((/** @type {string} */ name, /** @type {number} */ value) => ({
    name,
    value,
  }));
  const chips = createChips("text", choices, (text) => set({ text }));
  const parts = {
    nodes: [
      element(
        "div",
        { className: "controls" },
        chips.bar,
        createSelect("maps", header.scalings, store.state.scaling, (scaling) => set({ scaling })),
        ...createMapControls(store),
      ),
      stage,
      status,
      closure,
      help,
      caption,
      table.details,
    ],
    rebuild() {
      const { text } = store.state;
      grid.fill(text);
      closure.textContent = header.closures[text];
      caption.replaceChildren(
        ...[...header.captions[text], ...header.dropped].map((line) => element("p", {}, line)),
      );
      table.show();
      parts.swap();
    },
    swap() {
      const next = headView(header, arrays, store.state);
      for (const panel of panels) panel.take(next.header, next.arrays);
    },
    paint() {
      const { state } = store;
      chips.show(state.text);
      help.hidden = !state.help;
      stage.style.setProperty("--alpha", String(state.alpha));
      status.textContent = headStatus(header, arrays, state);
      grid.mark(shownHead(state));
      for (const panel of [photo, ...panels]) panel.update(state);
    },
    draw() {
      for (const panel of [photo, ...panels]) panel.draw(store.state);
      grid.fit();
    },
  };
  return parts;
}

/**
 * Heads down, layers across, and below them what is no head. A cell under the pointer is previewed, a click keeps it.
 * @param {any} header @param {Record<string, any>} arrays @param {(values: object) => void} set
 */
function createGrid(header, arrays, set) {
  const { layers, heads } = header;
  const names = [...Array.from({ length: heads }, (_, n) => `head ${n}`), "bias", "FFN"];
  const cells = names.map((_, row) =>
    Array.from({ length: layers }, (_, layer) =>
      element(
        "span",
        row < heads
          ? { "data-head": String(layer * heads + row) }
          : row === heads
            ? { className: "bias" }
            : {},
      ),
    ),
  );
  const ticks = Array.from({ length: layers }, (_, n) =>
    element("span", { className: "tick" }, n ? String(n) : "layer 0"),
  );
  const node = element(
    "div",
    {
      className: "grid",
      role: "img",
      "aria-label": "share of every head; the strongest are in the table below",
    },
    ...names.flatMap((name, row) => [
      element("span", { className: row === heads ? "name bias" : "name" }, name),
      ...cells[row],
    ]),
    element("span"),
    ...ticks,
  );
  node.style.gridTemplateColumns = `52px repeat(${layers}, minmax(0, 1fr))`;
  const under = (/** @type {Event} */ event) => {
    const { head } = /** @type {HTMLElement} */ (event.target).dataset;
    return head === undefined ? null : Number(head);
  };
  let last = /** @type {number | null} */ (null);
  const preview = (/** @type {number | null} */ at) => at !== last && set({ preview: (last = at) });
  node.addEventListener("pointerover", (/** @type {PointerEvent} */ event) =>
    preview(under(event)),
  );
  node.addEventListener("pointerleave", () => preview(null));
  node.addEventListener(
    "click",
    (/** @type {MouseEvent} */ event) => under(event) !== null && set({ at: under(event) }),
  );
  return {
    node,
    /** @param {number} text */
    fill(text) {
      const high = header.reaches[text].cells;
      cells.flat().forEach((cell, n) => {
        const value = arrays.cells[text * (heads + 2) * layers + n];
        const colour = colourOf(value, { low: -high, high }, arrays[DIVERGING]);
        cell.textContent = signed(value);
        cell.title = `layer ${n % layers}, ${names[Math.floor(n / layers)]}: ${format(value)}`;
        Object.assign(cell.style, { background: `rgb(${colour})`, color: inkOn(colour) });
      });
    },
    /** @param {number} at */
    mark(at) {
      for (const cell of cells.flat())
        cell.toggleAttribute("data-shown", cell.dataset.head === String(at));
    },
    /** Numbers only where they have room. */
    fit() {
      for (const cell of cells.flat()) cell.classList.toggle("few", cell.clientWidth < ROOM);
    },
  };
}

/**
 * The maps of one head and of all of them, with their scales, as panels know them.
 * @param {any} header @param {Record<string, any>} arrays @param {any} state
 */
export function headView(header, arrays, state) {
  const { layers, heads, texts } = header;
  const size = header.grids[0].height * header.grids[0].width;
  const of = (/** @type {number} */ at) =>
    arrays.heads.subarray(
      (at * texts.length + state.text) * size,
      (at * texts.length + state.text + 1) * size,
    );
  const at = shownHead(state);
  const maps0 = new Float32Array(2 * size);
  maps0.set(of(at));
  for (let n = 0; n < layers * heads; n++)
    of(n).forEach(
      (/** @type {number} */ value, /** @type {number} */ i) => (maps0[size + i] += value),
    );
  const named = [`layer ${Math.floor(at / heads)}, head ${at % heads}`, "all heads together"];
  const span = (/** @type {number} */ high) => ({ low: -high, high, colours: DIVERGING });
  const own = named.map((_, n) =>
    Math.max(
      0,
      ...maps0
        .subarray(n * size, (n + 1) * size)
        .filter(Number.isFinite)
        .map(Math.abs),
    ),
  );
  const titles = named.map((text, row) => {
    const values = maps0.subarray(row * size, (row + 1) * size);
    return {
      text,
      subtitle: `from patches ${format(values.reduce((sum, value) => sum + value, 0))}`,
      flat: isFlat(values),
    };
  });
  const { one, all } = header.reaches[state.text];
  return asMaps(
    header,
    arrays,
    maps0,
    titles,
    [[one, all], own].map((highs) => ({ scales: highs.map(span) })),
  );
}

/** What the shown head brought, in a line. @param {any} header @param {Record<string, any>} arrays @param {any} state @returns {string} */
export function headStatus(header, arrays, state) {
  const { heads, layers, texts } = header;
  const at = shownHead(state);
  const [layer, head] = [Math.floor(at / heads), at % heads];
  const share = arrays.cells[(state.text * (heads + 2) + head) * layers + layer];
  const cell = focused(state);
  const size = header.grids[0].height * header.grids[0].width;
  if (cell) {
    const n = cell.row * header.grids[0].width + cell.column;
    const fetched = arrays.heads[(at * texts.length + state.text) * size + n];
    const pinned = sameCell(cell, state.pinned) ? " (pinned, Esc unpins)" : "";
    return `layer ${layer}, head ${head}: ${format(fetched)} from row ${cell.row}, column ${cell.column}${pinned}, of its ${signed(share)}`;
  }
  const fromClass = arrays.from_class[at * texts.length + state.text];
  return (
    `layer ${layer}, head ${head}: ${signed(share)} of the cosine ${format(arrays.similarity[state.text])}, ` +
    `${signed(share - fromClass)} from patches, ${signed(fromClass)} from [class]`
  );
}

/** @param {any} header @param {Record<string, any>} arrays @param {number} text */
function createHeadTable({ layers, heads, texts }, arrays, text) {
  const shares = arrays.cells.subarray(
    text * (heads + 2) * layers,
    (text * (heads + 2) + heads) * layers,
  );
  const order = [...shares.keys()]
    .sort((a, b) => Math.abs(shares[b]) - Math.abs(shares[a]))
    .slice(0, 10);
  const rows = order.map((n) => {
    const [head, layer] = [Math.floor(n / layers), n % layers];
    return [
      layer,
      head,
      signed(shares[n]),
      signed(arrays.from_class[(layer * heads + head) * texts.length + text]),
    ];
  });
  return createPlainTable(
    `Strongest heads for “${titleOf(texts[text])}”`,
    ["layer", "head", "share", "of it from [class]"],
    rows,
  );
}

export default viewerOf(buildHeads);
