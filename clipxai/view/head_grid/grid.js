// Heads down, layers across, and below them what is no head: every cell in the colour of its share.
// @ts-check
import { element } from "../browser/element.js";
import { fill, signed } from "../browser/number.js";
import { colourOf, inkOn } from "../browser/sentence.js";

/** @import { HeadArrays, HeadGridHeader } from "./types.js" */

const ROOM = 46; // pixels that a number needs

/**
 * A cell under the pointer is previewed, a click keeps it; a head is told as its number, counted
 * layer by layer.
 * @param {HeadGridHeader} header
 * @param {HeadArrays} arrays
 * @param {{preview: (at: number | null) => void, choose: (at: number) => void}} on
 */
export function createGrid(header, arrays, on) {
  const { layers, heads, rows, ticks, words } = header;
  const cells = rows.map((_, row) =>
    Array.from({ length: layers }, (_, layer) => createCell(header, row, layer)),
  );
  const node = element(
    "div",
    { className: "grid", role: "img", "aria-label": words.grid },
    ...rows.flatMap((name, row) => [
      element("span", { className: `name ${kindOf(row, heads)}` }, name),
      ...cells[row],
    ]),
    element("span"),
    ...ticks.map((tick) => element("span", { className: "tick" }, tick)),
  );
  node.style.gridTemplateColumns = `52px repeat(${layers}, minmax(0, 1fr))`;
  let last = /** @type {number | null} */ (null);
  const preview = (/** @type {number | null} */ at) => {
    if (at !== last) on.preview(at);
    last = at;
  };
  node.addEventListener("pointerover", (event) => preview(headUnder(event)));
  node.addEventListener("pointerleave", () => preview(null));
  node.addEventListener("click", (event) => {
    const at = headUnder(event);
    if (at !== null) on.choose(at);
  });
  return {
    node,
    /** @param {number} text */
    fill(text) {
      const scale = header.scales[text].cells;
      const table = arrays[header.diverging];
      cells.flat().forEach((cell, n) => {
        const [row, layer] = [Math.floor(n / layers), n % layers];
        const value = arrays.cells[(text * rows.length + row) * layers + layer];
        const colour = colourOf(value, scale, table);
        cell.textContent = signed(value);
        cell.title = fill(words.cell, { layer, row: rows[row], value });
        Object.assign(cell.style, { background: `rgb(${colour})`, color: inkOn(colour) });
      });
    },
    /** @param {number} at */
    mark(at) {
      for (const cell of cells.flat()) {
        cell.toggleAttribute("data-shown", cell.dataset.head === String(at));
      }
    },
    /** Numbers only where they have room. */
    fit() {
      for (const cell of cells.flat()) cell.classList.toggle("few", cell.clientWidth < ROOM);
    },
  };
}

/**
 * @param {number} row
 * @param {number} heads
 */
function kindOf(row, heads) {
  if (row < heads) return "";
  return row === heads ? "bias" : "ffn";
}

/**
 * @param {HeadGridHeader} header
 * @param {number} row
 * @param {number} layer
 */
function createCell({ heads }, row, layer) {
  const cell = element("span", { className: kindOf(row, heads) });
  if (row < heads) cell.dataset.head = String(layer * heads + row);
  return cell;
}

/**
 * @param {Event} event
 * @returns {number | null}
 */
function headUnder(event) {
  const { head } = /** @type {HTMLElement} */ (event.target).dataset;
  return head === undefined ? null : Number(head);
}
