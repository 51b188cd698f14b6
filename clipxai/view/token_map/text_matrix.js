// Which earlier token does a token of the text look at? The text tower's own attention, one small
// causal matrix per layer.
// @ts-check
import { context2d, pixelRatio } from "../browser/draw.js";
import { element } from "../browser/element.js";
import { colourIndex } from "../browser/interpolate.js";
import { fill } from "../browser/number.js";

/**
 * @typedef {Record<"title" | "layer" | "legend" | "label" | "reads" | "hidden", string>}
 *   MatrixWords
 */

export const MATRIX_STYLE = `
.matrix { display: flex; flex-wrap: wrap; gap: 10px 20px; align-items: start; margin-top: 6px; }
.matrix canvas { cursor: crosshair; }
.matrix p { margin: 0 0 6px; max-width: 62ch; font-size: 12px; color: var(--quiet); }
.matrix output {
  display: block; min-height: 1.4em; font-weight: 600; font-variant-numeric: tabular-nums;
}
.matrix label { display: inline-flex; gap: 6px; align-items: center; color: var(--quiet); }
`;
const LABEL = 86; // pixels of room for names
const [LARGEST, SMALLEST, EXTENT] = [26, 6, 420]; // of a cell's side; what all of them should take
const READABLE = 8; // from which side on a cell has room for its name

/**
 * What a cell says.
 * @param {Pick<MatrixWords, "reads" | "hidden">} words
 * @param {string[]} tokens
 * @param {number} layer
 * @param {number} from
 * @param {number} to
 * @param {number} weight
 */
export function weightLine(words, tokens, layer, from, to, weight) {
  const names = { from: tokens[from], to: tokens[to] };
  if (to > from) return fill(words.hidden, names);
  return fill(words.reads, { layer, weight, ...names });
}

/**
 * @param {MatrixWords} words
 * @param {string[]} tokens
 * @param {number} layers
 * @param {ArrayLike<number>} weights (layers, tokens, tokens)
 * @param {Uint8Array} table
 */
export function createTextMatrix(words, tokens, layers, weights, table) {
  const size = tokens.length;
  const side = Math.max(SMALLEST, Math.min(LARGEST, Math.floor(EXTENT / size)));
  const canvas = element("canvas", { role: "img", "aria-label": words.label });
  const told = element("output", {}, "\u00a0");
  let layer = layers - 1;
  const name = element("span", {}, String(layer));
  const oninput = () => {
    layer = slider.valueAsNumber;
    name.textContent = String(layer);
    draw();
  };
  const [max, value] = [String(layers - 1), String(layer)];
  const slider = element("input", { type: "range", min: "0", max, value, oninput });
  const weight = (/** @type {number} */ from, /** @type {number} */ to) =>
    weights[(layer * size + from) * size + to];
  const draw = () => drawTriangle(canvas, tokens, side, weight, table);
  canvas.addEventListener("pointermove", (event) => {
    const box = canvas.getBoundingClientRect();
    const to = Math.floor((event.clientX - box.left - LABEL) / side);
    const from = Math.floor((event.clientY - box.top - LABEL) / side);
    const inside = from >= 0 && to >= 0 && from < size && to < size;
    told.textContent = inside
      ? weightLine(words, tokens, layer, from, to, weight(from, to))
      : "\u00a0";
  });
  const choice = element("label", {}, `${words.layer} `, slider, name);
  const beside = element("div", {}, element("p", {}, words.legend), choice, told);
  const node = element("div", { className: "matrix" }, canvas, beside);
  return { node, draw };
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {string[]} tokens
 * @param {number} side
 * @param {(from: number, to: number) => number} weight
 * @param {Uint8Array} table
 */
function drawTriangle(canvas, tokens, side, weight, table) {
  const context = context2d(canvas);
  const extent = LABEL + tokens.length * side;
  canvas.width = canvas.height = Math.round(extent * pixelRatio()); // which also clears it
  canvas.style.width = canvas.style.height = `${extent}px`;
  context.scale(pixelRatio(), pixelRatio());
  context.font = `${Math.min(12, side - 1)}px system-ui, sans-serif`;
  context.textBaseline = "middle";
  const ink = getComputedStyle(canvas).color;
  tokens.forEach((token, from) => {
    context.fillStyle = ink;
    if (side > READABLE) writeNames(context, token, LABEL + (from + 0.5) * side);
    for (let to = 0; to <= from; to++) {
      const at = 3 * colourIndex(Math.sqrt(weight(from, to)), { low: 0, high: 1 });
      context.fillStyle = `rgb(${table.subarray(at, at + 3).join()})`;
      context.fillRect(LABEL + to * side, LABEL + from * side, side - 1, side - 1);
    }
  });
}

/**
 * A token's name left of its row and, standing, above its column.
 * @param {CanvasRenderingContext2D} context
 * @param {string} name
 * @param {number} at
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
