// Rows of marks above each other over the same columns: bars from zero, lines, points. One column
// may be lit, and answers to the pointer.
// @ts-check
import { shape } from "../browser/element.js";
import { signed, twoDigits } from "../browser/number.js";

/**
 * @typedef {(number | null)[]} Column  a value for each column, where there is one
 * @typedef {object} Lane
 * @property {string} name
 * @property {Column} [bars]
 * @property {Column | null} [marks] strokes across the bars, which step back
 * @property {Line[]} [lines]
 * @property {string} [share] rows of one name have one scale
 * @property {number[]} [reach] what the scale takes in besides
 * @property {string} [text] stands in the middle
 * @property {number} [level] a dotted line to compare with
 * @property {(string | null)[]} [titles] told of the column under the pointer
 * @typedef {object} Line  without a name it carries its numbers
 * @property {Column} values
 * @property {string} [name]
 * @property {(boolean | null)[]} [above] where the numbers of a line with a name stand
 * @typedef {object} Axes
 * @property {(column: number) => number} x
 * @property {(value: number) => number} y
 * @property {number} step width of a column
 */

export const LANE_STYLE = `
.lanes {
  display: block; width: 100%;
  height: calc(var(--lanes) * clamp(50px, 0.38 * var(--tall, 200px), 84px));
  overflow: visible; font-size: 12px; cursor: pointer;
}
.lanes text { fill: var(--text); font-variant-numeric: tabular-nums; }
.lanes .lane-name { font-size: 13px; }
.lanes .closing { font-size: 13px; }
.lanes .axis { stroke: var(--quiet); stroke-width: 1; opacity: 0.7; }
.lanes .lit { fill: var(--accent); opacity: 0.14; }
.lanes .plus { fill: var(--plus); }
.lanes .minus { fill: var(--minus); }
.lanes polyline { fill: none; stroke: var(--text); stroke-width: 1.6; }
.lanes .second { stroke: var(--quiet); stroke-dasharray: 4 3; }
.lanes .dot { fill: var(--text); }
.lanes .square { fill: var(--page); stroke: var(--quiet); stroke-width: 1.5; }
.lanes .patch { stroke: var(--text); stroke-width: 2.5; }
.lanes .hit { fill: transparent; }
.lanes .level { stroke: var(--quiet); stroke-dasharray: 1 3; stroke-width: 1.5; }
`;
export const GUTTER = 118; // pixels left of the columns, for names
const [LANE, LANE_GAP] = [78, 6]; // a row's usual height, and its distance to the next
const NUMBERED = 46; // from which width on a column carries numbers
const NARROWEST = 8; // pixels of a column
const ROOM = 16; // for a number above the highest and below the lowest bar

/**
 * Lowest and highest value of all rows that share a scale with one, zero included.
 * @param {Lane[]} lanes
 * @param {Lane} lane
 * @returns {[number, number]}
 */
export function extentOf(lanes, lane) {
  const alike = lanes.filter(
    (other) => other === lane || (lane.share && other.share === lane.share),
  );
  const values = alike.flatMap(({ bars = [], marks, reach = [], lines = [] }) => [
    ...bars,
    ...(marks ?? []),
    ...reach,
    ...lines.flatMap((line) => line.values),
  ]);
  const known = values.filter(isKnown);
  return [Math.min(0, ...known), Math.max(0, ...known)];
}

/**
 * @param {number | null} value
 * @returns {value is number}
 */
function isKnown(value) {
  return value !== null && Number.isFinite(value);
}

/**
 * Draw the rows into an SVG element, anew.
 * @param {SVGSVGElement} svg
 * @param {Lane[]} lanes
 * @param {number} columns
 * @param {number} lit
 * @param {Lane[]} [all] also those that are drawn elsewhere: a share is one scale for all of them
 */
export function drawLanes(svg, lanes, columns, lit, all = lanes) {
  const width = Math.max(svg.clientWidth || 900, GUTTER + NARROWEST * columns);
  svg.style.setProperty("--lanes", String(lanes.length));
  const height = svg.clientHeight || lanes.length * (LANE + LANE_GAP);
  const room = height / lanes.length - LANE_GAP;
  const step = (width - GUTTER) / columns;
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const light = { x: GUTTER + lit * step, y: 0, width: step, height: height - LANE_GAP };
  svg.replaceChildren(shape("rect", { class: "lit", ...light }));
  lanes.forEach((lane, n) => {
    const [low, high] = extentOf(all, lane);
    const above = high > 0 ? ROOM : 0;
    const inner = room - above - (low < 0 ? ROOM : 0);
    const begin = n * (room + LANE_GAP);
    const axes = {
      x: (/** @type {number} */ column) => GUTTER + (column + 0.5) * step,
      y: (/** @type {number} */ value) =>
        begin + above + ((high - value) / (high - low || 1)) * inner,
      step,
    };
    drawLane(svg, lane, axes, width, axes.y((high + low) / 2) + 4);
    drawTitles(svg, lane.titles ?? [], begin, step, room);
  });
}

/**
 * @param {SVGSVGElement} svg
 * @param {Lane} lane
 * @param {Axes} axes
 * @param {number} width of the drawing
 * @param {number} middle where its name stands
 */
function drawLane(svg, lane, axes, width, middle) {
  const { y, step } = axes;
  const across = (/** @type {string} */ name, /** @type {number} */ at) =>
    shape("line", { class: name, x1: GUTTER, x2: width, y1: y(at), y2: y(at) });
  svg.append(shape("text", { class: "lane-name", x: 0, y: middle }, lane.name), across("axis", 0));
  if (lane.level !== undefined) svg.append(across("level", lane.level));
  drawBars(svg, lane, axes);
  for (const [rank, line] of (lane.lines ?? []).entries()) drawLine(svg, line, rank, axes);
  if (!lane.text) return;
  // in the middle, or over the whole width below the line
  const place =
    step >= NUMBERED
      ? { x: GUTTER + (width - GUTTER) / 2, y: y(0) - 10, "text-anchor": "middle" }
      : { x: width, y: y(0) + 19, "text-anchor": "end" };
  svg.append(shape("text", { class: "closing", ...place }, lane.text));
}

/**
 * @param {SVGSVGElement} svg
 * @param {(string | null)[]} titles
 * @param {number} y
 * @param {number} step
 * @param {number} height
 */
function drawTitles(svg, titles, y, step, height) {
  titles.forEach((title, column) => {
    if (title === null) return;
    const area = { x: GUTTER + column * step, y, width: step, height };
    const hit = shape("rect", { class: "hit", ...area });
    hit.append(shape("title", {}, title));
    svg.append(hit);
  });
}

/**
 * @param {SVGSVGElement} svg
 * @param {Lane} lane
 * @param {Axes} axes
 */
function drawBars(svg, { bars = [], marks }, { x, y, step }) {
  const write = (
    /** @type {number} */ column,
    /** @type {number} */ at,
    /** @type {number} */ value,
  ) => {
    if (step < NUMBERED) return;
    svg.append(shape("text", { x: x(column), y: at, "text-anchor": "middle" }, signed(value)));
  };
  bars.forEach((value, column) => {
    if (!isKnown(value)) return;
    const [a, b] = [y(Math.max(value, 0)), y(Math.min(value, 0))];
    const area = { x: x(column) - 0.31 * step, width: 0.62 * step };
    const height = Math.max(b - a, 0.5);
    const look = { class: value < 0 ? "minus" : "plus", opacity: marks ? 0.45 : 1 };
    svg.append(shape("rect", { ...look, ...area, y: a, height }));
    if (!marks) write(column, value < 0 ? b + 12 : a - 4, value);
  });
  (marks ?? []).forEach((value, column) => {
    if (!isKnown(value)) return;
    const [left, right] = [x(column) - 0.4 * step, x(column) + 0.4 * step];
    const ends = { x1: left, x2: right, y1: y(value), y2: y(value) };
    svg.append(shape("line", { class: "patch", ...ends }));
    write(column, y(value) + (value < 0 ? 13 : -5), value);
  });
}

/**
 * @param {SVGSVGElement} svg
 * @param {Line} line
 * @param {number} rank the second one is dashed
 * @param {Axes} axes
 */
function drawLine(svg, { values, name, above }, rank, { x, y, step }) {
  const points = values.flatMap((value, column) => (isKnown(value) ? [{ column, value }] : []));
  const path = points.map(({ column, value }) => `${x(column)},${y(value)}`).join(" ");
  svg.append(shape("polyline", { class: rank ? "second" : "first", points: path }));
  for (const { column, value } of points) {
    const [cx, cy] = [x(column), y(value)];
    const square = { class: "square", x: cx - 3, y: cy - 3, width: 6, height: 6 };
    svg.append(rank ? shape("rect", square) : shape("circle", { class: "dot", cx, cy, r: 3 }));
    if ((name && !above) || step < NUMBERED) continue;
    const away = above && !above[column] ? 15 : -6;
    const place = { x: cx, y: cy + away, "text-anchor": "middle" };
    svg.append(shape("text", place, twoDigits(value)));
  }
  const last = points[points.length - 1];
  if (!name || !last) return;
  const low = above ? !above[last.column] : rank > 0;
  /** @type {Record<string, string | number>} */
  const place =
    step >= NUMBERED
      ? { x: x(last.column) + (above ? 18 : 9), y: y(last.value) + (low ? 12 : -2) }
      : { x: x(last.column) + step, y: y(last.value) + (low ? 15 : -7), "text-anchor": "end" };
  const numbered = above && step >= NUMBERED; // its last number stands there already
  svg.append(shape("text", place, numbered ? name : `${name} ${twoDigits(last.value)}`));
}
