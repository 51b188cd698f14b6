// What does the model look like at a step? The block diagram of the two paths; what came or went at
// this step is lit.
// @ts-check
import { element, shape } from "../browser/element.js";
import { fill } from "../browser/number.js";

/** @import { WalkHeader } from "./types.js" */

export const BOARD_STYLE = `
.board { flex: 1 1 530px; max-width: 700px; min-width: 0; overflow-x: auto; }
.board svg { display: block; width: 100%; min-width: 530px; }
@media (max-height: 700px) { .figure:not(.lecture) .board { max-width: 580px; } }
.board text { fill: var(--text); text-anchor: middle; dominant-baseline: central; }
.board .tick { fill: var(--quiet); }
.board rect { fill: var(--page); stroke: var(--quiet); stroke-width: 1.5; }
.board .second rect { stroke: var(--way); stroke-width: 2.5; }
.board path { fill: none; stroke: var(--quiet); stroke-width: 2.5; }
.board path.second { stroke: var(--way); stroke-width: 4; }
.board path.values { stroke: var(--way); stroke-dasharray: 4 4; }
.board .absent { visibility: hidden; }
.board .gone rect { stroke-dasharray: 5 5; stroke: var(--quiet); stroke-width: 1.5; }
.board .gone text { fill: var(--quiet); }
.board .strike { stroke: var(--chosen); stroke-width: 3; }
.board g:not(.gone) .strike { visibility: hidden; }
.board .lit rect { stroke: var(--chosen); stroke-width: 5; }
.board .lit text { font-weight: 700; }
.board path.lit { stroke: var(--chosen); stroke-width: 6; }
.figure { --way: #1b7f5f; }
.figure[data-theme="dark"] { --way: #4fc79e; }
@media (forced-colors: active) {
  .board text { fill: CanvasText; }
  .board rect { fill: Canvas; stroke: CanvasText; }
  .board path { stroke: CanvasText; }
  .board .lit rect, .board path.lit { stroke: Highlight; }
}
`;

/**
 * The diagram, and what shows it at a step.
 * @param {WalkHeader} header
 */
export function createBoard({ board, steps, words }) {
  const { width, height, letters, boxes, lines, ticks } = board;
  const drawing = shape("svg", { viewBox: `-3 0 ${width + 6} ${height}`, role: "img" });
  const wires = lines.map((line) => {
    const [x, y, ...rest] = line.points;
    const bends = rest.map((value, n) => (n % 2 ? value : `L${value}`)).join(" ");
    const path = shape("path", { d: `M${x} ${y}${bends}` });
    return { ...line, path };
  });
  const parts = boxes.map((box) => {
    const { left, top, width: wide, height: high } = box;
    const middle = { x: left + wide / 2, y: top + high / 2 };
    const group = shape("g", {});
    group.append(
      shape("title", {}, box.title),
      shape("rect", { x: left, y: top, width: wide, height: high, rx: 6 }),
      shape("text", { ...middle, "font-size": letters }, box.word),
      shape("path", { class: "strike", d: `M${left} ${top + high}L${left + wide} ${top}` }),
    );
    return { ...box, group };
  });
  const above = ticks.map(({ x, word }) =>
    shape("text", { x, y: letters / 2, "font-size": letters, class: "tick" }, word),
  );
  drawing.append(...wires.map(({ path }) => path), ...parts.map(({ group }) => group), ...above);
  const node = element("div", { className: "board" }, drawing);
  let shown = -1;
  // a board that is wider than its window shows what is lit, and is moved by keys
  const follow = () => {
    if (node.scrollWidth > node.clientWidth) node.tabIndex = 0;
    else node.removeAttribute("tabindex");
    const lit = parts.find(({ group }) => group.classList.contains("lit"));
    const middle = lit ? lit.left + lit.width / 2 : 0;
    node.scrollLeft = (middle / width) * node.scrollWidth - node.clientWidth / 2;
  };
  return {
    node,
    follow,
    /** @param {number} step */
    show(step) {
      if (step === shown) return;
      shown = step;
      drawing.setAttribute("aria-label", fill(words.board, { step: steps[step].name }));
      for (const { path, kind, since, until } of wires) {
        path.setAttribute("class", `${kind} ${stateOf(step, since, until)}`);
      }
      for (const { group, kind, since, until, out } of parts) {
        const gone = step >= out ? `gone ${step === out ? "lit" : ""}` : "";
        group.setAttribute("class", `${kind} ${gone || stateOf(step, since, until)}`);
      }
      follow();
    },
  };
}

/**
 * Whether something is there at a step, and whether it has just come.
 * @param {number} step
 * @param {number} since
 * @param {number} until
 */
export function stateOf(step, since, until) {
  if (step < since || step > until) return "absent";
  return since && step === since ? "lit" : "";
}
