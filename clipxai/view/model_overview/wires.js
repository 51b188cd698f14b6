// What flows where? Lines of the block diagram: the stream, what modules read and add, the second
// rail, and the way of the text.
// @ts-check
import { shape } from "../browser/element.js";
import { BUTTON, TOP } from "./places.js";

/** @import { Places } from "./places.js" */
/** @import { OverviewHeader } from "./types.js" */
/** @typedef {{plus: SVGElement, module: "attention" | "ffn", column: number}} Wire */

/**
 * Draw all lines anew; those that modules add by are returned, to be told how much.
 * @param {SVGElement} drawing
 * @param {OverviewHeader} header
 * @param {Places} at
 * @returns {Wire[]}
 */
export function drawWires(drawing, header, at) {
  drawing.replaceChildren();
  const line = (/** @type {string} */ d, /** @type {string} */ kind) => {
    const path = shape("path", { d, class: kind });
    drawing.append(path);
    return path;
  };
  const { stream, joint, x, each, columns } = at;
  line(`M${at.photo} ${stream}H${joint - 4}`, "way");
  arrow(line, joint, stream);
  /** @type {Wire[]} */
  const wires = [];
  const bottom = TOP + at.boxes;
  const join = stream - at.small / 2 - 2;
  for (const column of header.stream ? columns.keys() : []) {
    const left = x + column * each;
    for (const [n, module] of /** @type {const} */ (["attention", "ffn"]).entries()) {
      const middle = left + (each * (1 + 2 * n)) / 4;
      const target = left + each / 2;
      const bent = `C${middle} ${join - 2} ${target} ${bottom + 4} ${target} ${join}`;
      const d = `M${middle} ${bottom}${bent}`;
      wires.push({ plus: line(d, "adds"), module, column });
    }
  }
  if (header.rail) drawRail(line, header.rail.blocks, header, at);
  const words = at.text;
  line(`M${words + 20} 74V52`, "way");
  line(`M${words + 15} 56L${words + 20} 49L${words + 25} 56Z`, "tip");
  line(`M${words} 24H${joint + at.wide + 5}`, "way");
  arrow(line, joint + at.wide, 24, -1);
  return wires;
}

/**
 * @param {(d: string, kind: string) => unknown} line
 * @param {number} blocks
 * @param {OverviewHeader} header
 * @param {Places} at
 */
function drawRail(line, blocks, { layers }, at) {
  const { stream, rail, x, each, columns, joint, small } = at;
  const first = columns.findIndex(({ last }) => last >= layers - blocks);
  const left = x + first * each;
  line(
    `M${left - 4} ${stream}C${left + 2} ${rail} ${left - 8} ${rail} ${left + 6} ${rail}`,
    "second",
  );
  line(`M${left + 6} ${rail}H${joint - 4}`, "second");
  arrow(line, joint, rail);
  const top = stream + small / 2;
  for (let n = first; n < columns.length; n++) {
    const middle = x + (n + 0.5) * each;
    line(`M${middle} ${top}V${rail - small / 2 - 4 - BUTTON}`, "values");
  }
}

/**
 * The head of an arrow that ends there.
 * @param {(d: string, kind: string) => unknown} line
 * @param {number} x
 * @param {number} y
 * @param {number} [way] 1 to the right, −1 to the left
 */
function arrow(line, x, y, way = 1) {
  line(`M${x - 7 * way} ${y - 5}L${x} ${y}L${x - 7 * way} ${y + 5}Z`, "tip");
}
