// How did the training go? Curves over its steps, with a mark at the one that is shown.
// @ts-check
import { element, shape } from "../browser/element.js";
import { fill, format } from "../browser/number.js";

/** @import { TrainingHeader } from "./types.js" */

const [HEIGHT, GUTTER, RIM] = [170, 46, 8]; // pixels: of the chart, left of it, around
export const CHART_STYLE = `
.curves { display: block; width: 100%; cursor: pointer; font-size: 12px; }
.curves text { fill: var(--quiet); }
.legend { display: flex; flex-wrap: wrap; gap: 0 20px; font-size: 14px; font-weight: 600; }
.legend i {
  display: inline-block; width: 18px; height: 4px; margin-right: 6px; vertical-align: middle;
}
.legend span { font-variant-numeric: tabular-nums; min-width: 9ch; }
`;

/**
 * @param {TrainingHeader} header
 * @param {Float32Array} curves (curves, S)
 * @param {(step: number) => void} go
 */
export function createChart({ at, curves: named, span, steps, words }, curves, go) {
  const svg = shape("svg", { class: "curves", role: "img", "aria-label": words.chart });
  const values = named.map((_, n) => curves.subarray(n * at.length, (n + 1) * at.length));
  const told = named.map(() => element("span"));
  const legend = named.map(({ colour }, n) => {
    const line = element("i");
    line.style.background = colour;
    return element("div", {}, line, told[n]);
  });
  const node = element(
    "div",
    { className: "chart", hidden: !named.length },
    element("div", { className: "legend" }, ...legend),
    svg,
  );
  const [low, high] = span;
  let width = 0;
  const x = (/** @type {number} */ n) =>
    GUTTER + (at[n] / at[at.length - 1]) * (width - GUTTER - RIM);
  const y = (/** @type {number} */ value) =>
    RIM + ((high - value) / (high - low || 1)) * (HEIGHT - 3 * RIM);
  const line = shape("line", { y1: 0, y2: HEIGHT - RIM, "stroke-width": 3 });
  line.style.stroke = "var(--chosen)";
  svg.addEventListener("click", (event) => {
    const across = event.offsetX;
    const apart = at.map((_, n) => Math.abs(x(n) - across));
    go(apart.indexOf(Math.min(...apart)));
  });
  return {
    node,
    draw() {
      width = svg.clientWidth || GUTTER + 2 * RIM;
      svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
      svg.style.height = `${HEIGHT}px`;
      const zero = shape("line", { x1: GUTTER, x2: width - RIM, y1: y(0), y2: y(0) });
      zero.style.stroke = "var(--line)";
      const numbers = [...new Set([high, 0, low])].map((value) =>
        shape("text", { x: GUTTER - 6, y: y(value) + 4, "text-anchor": "end" }, format(value)),
      );
      const lines = named.flatMap(({ colour }, n) => {
        const known = at.flatMap((_, s) => (Number.isFinite(values[n][s]) ? [s] : []));
        const spots = known.map((s) => [x(s), y(values[n][s])]);
        const points = spots.map((spot) => spot.map((one) => one.toFixed(1)).join(",")).join(" ");
        const curve = shape("polyline", {
          points,
          fill: "none",
          stroke: colour,
          "stroke-width": 2.5,
        });
        const dots = spots.map(([cx, cy]) => shape("circle", { cx, cy, r: 3.5, fill: colour }));
        return [curve, ...dots];
      });
      svg.replaceChildren(zero, line, ...lines, ...numbers);
    },
    /** @param {number} step */
    mark(step) {
      line.setAttribute("x1", String(x(step)));
      line.setAttribute("x2", String(x(step)));
      svg.setAttribute("aria-label", `${words.chart}; ${fill(words.now, { step: steps[step] })}`);
      named.forEach(({ name }, n) => {
        told[n].textContent = fill(words.curve, { name, value: values[n][step] });
      });
    },
  };
}
