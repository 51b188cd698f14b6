// Which earlier token does a token of the text look at? The text tower's own attention, one small causal matrix per layer.
// @ts-check
import { colourIndex, context2d } from "../browser/draw.js";
import { element } from "../browser/shell.js";
import { format } from "../browser/number.js";

export const MATRIX_STYLE = `
.matrix { display: flex; flex-wrap: wrap; gap: 10px 20px; align-items: start; margin-top: 6px; }
.matrix canvas { cursor: crosshair; }
.matrix p { margin: 0 0 6px; max-width: 62ch; font-size: 12px; color: var(--quiet); }
.matrix output { display: block; min-height: 1.4em; font-weight: 600; font-variant-numeric: tabular-nums; }
.matrix label { display: inline-flex; gap: 6px; align-items: center; color: var(--quiet); }
`;
const LEGEND =
  "Row: a token that reads; column: the token it reads from; mean of all heads. A row adds up to 1. Dark violet 0, " +
  "yellow 1; colours follow the square root, so that small weights are seen. What comes after a token is hidden from it: " +
  "the text tower is causal.";
const [LABEL, LARGEST, SMALLEST] = [86, 26, 6]; // room for names, and a cell's side, in pixels

/**
 * What a cell says.
 * @param {string[]} tokens @param {number} layer @param {number} from @param {number} to @param {number} weight @returns {string}
 */
export function weightLine(tokens, layer, from, to, weight) {
  return to > from
    ? `“${tokens[from]}” cannot see “${tokens[to]}”, which comes after it`
    : `layer ${layer}: “${tokens[from]}” reads ${format(weight)} from “${tokens[to]}”`;
}

/** @param {string[]} tokens @param {number} layers @param {ArrayLike<number>} weights (layers, tokens, tokens) @param {Uint8Array} table */
export function createTextMatrix(tokens, layers, weights, table) {
  const size = tokens.length;
  const side = Math.max(SMALLEST, Math.min(LARGEST, Math.floor(420 / size)));
  const canvas = element("canvas", { role: "img", "aria-label": "text attention, causal matrix" });
  const told = element("output", {}, "\u00a0");
  let layer = layers - 1;
  const name = element("span", {}, String(layer));
  const slider = element("input", {
    type: "range",
    min: "0",
    max: String(layers - 1),
    value: String(layer),
    oninput: () => {
      layer = slider.valueAsNumber;
      name.textContent = String(layer);
      draw();
    },
  });
  const weight = (/** @type {number} */ from, /** @type {number} */ to) =>
    weights[(layer * size + from) * size + to];
  const draw = () => drawTriangle(canvas, tokens, side, weight, table);
  canvas.addEventListener("pointermove", (/** @type {PointerEvent} */ event) => {
    const box = canvas.getBoundingClientRect();
    const to = Math.floor((event.clientX - box.left - LABEL) / side);
    const from = Math.floor((event.clientY - box.top - LABEL) / side);
    const inside = from >= 0 && to >= 0 && from < size && to < size;
    told.textContent = inside ? weightLine(tokens, layer, from, to, weight(from, to)) : "\u00a0";
  });
  const node = element(
    "div",
    { className: "matrix" },
    canvas,
    element(
      "div",
      {},
      element("p", {}, LEGEND),
      element("label", {}, "layer ", slider, name),
      told,
    ),
  );
  return { node, draw };
}

/**
 * @param {HTMLCanvasElement} canvas @param {string[]} tokens @param {number} side
 * @param {(from: number, to: number) => number} weight @param {Uint8Array} table
 */
function drawTriangle(canvas, tokens, side, weight, table) {
  const context = context2d(canvas);
  const ratio = globalThis.devicePixelRatio || 1;
  const extent = LABEL + tokens.length * side;
  canvas.width = canvas.height = Math.round(extent * ratio); // which also clears it
  canvas.style.width = canvas.style.height = `${extent}px`;
  context.scale(ratio, ratio);
  context.font = `${Math.min(12, side - 1)}px system-ui, sans-serif`;
  context.textBaseline = "middle";
  const ink = getComputedStyle(canvas).color;
  tokens.forEach((token, from) => {
    context.fillStyle = ink;
    if (side > 8) writeNames(context, token, LABEL + (from + 0.5) * side);
    for (let to = 0; to <= from; to++) {
      const at = 3 * colourIndex(Math.sqrt(weight(from, to)), { low: 0, high: 1 });
      context.fillStyle = `rgb(${table.subarray(at, at + 3).join()})`;
      context.fillRect(LABEL + to * side, LABEL + from * side, side - 1, side - 1);
    }
  });
}

/**
 * A token's name left of its row and, standing, above its column.
 * @param {CanvasRenderingContext2D} context @param {string} name @param {number} at
 */
function writeNames(context, name, at) {
  context.textAlign = "right";
  context.fillText(name, LABEL - 5, at, LABEL - 8);
  context.save();
  context.translate(at, LABEL - 5);
  context.rotate(-Math.PI / 2);
  context.textAlign = "left";
  context.fillText(name, 0, 0, LABEL - 8);
  context.restore();
}
