// What are the tokens worth that are no patches? Cells: below the strip a row for each, or words
// across and layers down.
// @ts-check
import { element } from "../browser/element.js";
import { signed } from "../browser/number.js";
import { colourOf, inkOn } from "../browser/sentence.js";

/** @import { TracingArrays, TracingHeader } from "./types.js" */

export const CELLS_STYLE = `
.cells { display: grid; gap: 2px; font-size: 12px; font-variant-numeric: tabular-nums; }
.cells span {
  min-width: 0; text-align: center; white-space: nowrap; overflow: hidden; line-height: 20px;
}
.cells .name { text-align: left; color: var(--quiet); text-overflow: ellipsis; }
.cells .word { font-size: 14px; font-weight: 600; text-overflow: ellipsis; }
.cells .tick { color: var(--quiet); overflow: visible; }
.cells [data-cell] { cursor: pointer; }
.cells [data-shown] { outline: 2px solid var(--chosen); outline-offset: -1px; }
.cells .few { color: transparent !important; }
`;
const ROOM = 46; // pixels that a number needs

/**
 * @param {TracingHeader} header
 * @param {TracingArrays} arrays
 * @param {boolean} words whether words stand across, and layers down
 * @param {(cell: number | null) => void} point
 */
export function createCells({ layers, names, ticks, scales }, arrays, words, point) {
  const [K, N] = [layers.length, names.length];
  const cells = Array.from({ length: K * N }, (_, at) => {
    const cell = element("span");
    cell.dataset.cell = String(at);
    return cell;
  });
  const tick = (/** @type {number} */ n) => element("span", { className: "tick" }, ticks[n]);
  const name = (/** @type {number} */ n) =>
    element("span", { className: words ? "word" : "name", title: names[n] }, names[n]);
  const [rows, columns] = [[...layers.keys()], [...names.keys()]];
  const children = words
    ? [
        element("span"),
        ...columns.map(name),
        ...rows.flatMap((row) => [tick(row), ...cells.slice(row * N, (row + 1) * N)]),
      ]
    : [
        ...columns.flatMap((n) => [name(n), ...rows.map((row) => cells[row * N + n])]),
        element("span"),
        ...rows.map(tick),
      ];
  const node = element("div", { className: "cells" }, ...children);
  const across = words ? `repeat(${N}, minmax(0, 110px))` : `repeat(${K}, minmax(0, 1fr))`;
  node.style.gridTemplateColumns = `74px ${across}`;
  const under = (/** @type {Event} */ event) => {
    const { cell } = /** @type {HTMLElement} */ (event.target).dataset;
    return cell === undefined ? null : Number(cell);
  };
  node.addEventListener("pointerover", (event) => point(under(event)));
  node.addEventListener("pointerleave", () => point(null));
  return {
    node,
    /** @param {number} text */
    fill(text) {
      const scale = scales[text][1];
      cells.forEach((cell, at) => {
        const value = arrays.alone[text * K * N + at];
        const colour = colourOf(value, scale, arrays.RdBu_r);
        cell.textContent = signed(value);
        Object.assign(cell.style, { background: `rgb(${colour})`, color: inkOn(colour) });
      });
    },
    /** @param {number | null} shown */
    mark(shown) {
      cells.forEach((cell, at) => cell.toggleAttribute("data-shown", at === shown));
    },
    /** Numbers only where they have room. */
    fit() {
      for (const cell of cells) cell.classList.toggle("few", cell.clientWidth < ROOM);
    },
  };
}
