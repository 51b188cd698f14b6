// Rows of marks above each other over the same columns: bars from zero, lines, points. One column may be lit, and answers to the pointer.
// @ts-check
import { signed, twoDigits } from "../browser/number.js";

export const LANE_STYLE = `
.lanes { display: block; width: 100%; overflow: visible; font-size: 11.5px; cursor: pointer; }
.lanes text { fill: var(--text); font-variant-numeric: tabular-nums; } .lanes .lane-name { font-size: 13px; }
.lanes .closing { font-size: 13px; } .lanes .axis { stroke: var(--quiet); stroke-width: 1; opacity: 0.7; }
.lanes .lit { fill: var(--accent); opacity: 0.14; } .lanes .plus { fill: #c9453c; } .lanes .minus { fill: #3579b8; }
.lanes polyline { fill: none; stroke: var(--text); stroke-width: 1.6; } .lanes .second { stroke: var(--quiet); stroke-dasharray: 4 3; }
.lanes .dot { fill: var(--text); } .lanes .square { fill: var(--page); stroke: var(--quiet); stroke-width: 1.5; }
.lanes .patch { stroke: var(--text); stroke-width: 2.5; } .lanes .hit { fill: transparent; }
.lanes .level { stroke: var(--quiet); stroke-dasharray: 1 3; stroke-width: 1.5; }
`;
export const GUTTER = 118; // pixels left of the columns, for names
const [LANE, LANE_GAP, NUMBERED] = [78, 8, 46]; // a row's height and distance, and from which width on a column carries numbers

/**
 * @typedef {{name: string, bars?: (number | null)[], marks?: (number | null)[] | null, lines?: Line[], share?: string, reach?: number[],
 *   text?: string, level?: number, titles?: (string | null)[]}} Lane
 *   rows of one `share` have one scale, which takes in `reach`; `marks` are strokes across the bars, which step back; `text` stands in
 *   the middle; `level` is a dotted line to compare with, `titles` are told of the columns under the pointer
 * @typedef {{values: (number | null)[], name?: string, above?: (boolean | null)[]}} Line
 *   a line without a name carries its numbers; one with a name carries them above or below where `above` says so
 */

/** @param {string} tag @param {Record<string, any>} attributes @param {string} [text] @returns {any} */
export function shape(tag, attributes, text) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  if (text !== undefined) node.textContent = text;
  return node;
}

/**
 * Lowest and highest value of all rows that share a scale with one, zero included.
 * @param {Lane[]} lanes @param {Lane} lane @returns {[number, number]}
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
  const known = /** @type {number[]} */ (
    values.filter((value) => value !== null && Number.isFinite(value))
  );
  return [Math.min(0, ...known), Math.max(0, ...known)];
}

/**
 * Draw the rows into an SVG element, anew.
 * @param {any} svg @param {Lane[]} lanes @param {number} columns @param {number} lit
 */
export function drawLanes(svg, lanes, columns, lit) {
  const width = Math.max(svg.clientWidth || 900, GUTTER + 8 * columns);
  const height = lanes.length * (LANE + LANE_GAP);
  const step = (width - GUTTER) / columns;
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.style.height = `${height}px`;
  svg.replaceChildren(
    shape("rect", {
      class: "lit",
      x: GUTTER + lit * step,
      y: 0,
      width: step,
      height: height - LANE_GAP,
    }),
  );
  lanes.forEach((lane, n) => {
    const [low, high] = extentOf(lanes, lane);
    const room = 16; // for a number above the highest and below the lowest bar
    const inner = LANE - (high > 0 ? room : 0) - (low < 0 ? room : 0);
    const top = n * (LANE + LANE_GAP) + (high > 0 ? room : 0);
    const y = (/** @type {number} */ value) => top + ((high - value) / (high - low || 1)) * inner;
    const x = (/** @type {number} */ column) => GUTTER + (column + 0.5) * step;
    svg.append(
      shape("text", { class: "lane-name", x: 0, y: y((high + low) / 2) + 4 }, lane.name),
      shape("line", { class: "axis", x1: GUTTER, x2: width, y1: y(0), y2: y(0) }),
    );
    if (lane.level !== undefined) {
      svg.append(
        shape("line", {
          class: "level",
          x1: GUTTER,
          x2: width,
          y1: y(lane.level),
          y2: y(lane.level),
        }),
      );
    }
    drawBars(svg, lane, x, y, step);
    for (const [rank, line] of (lane.lines ?? []).entries()) drawLine(svg, line, rank, x, y, step);
    const wide = step >= NUMBERED; // else the text takes the whole width, below the line
    const place = wide
      ? { x: GUTTER + (width - GUTTER) / 2, y: y(0) - 10, "text-anchor": "middle" }
      : { x: width, y: y(0) + 19, "text-anchor": "end" };
    if (lane.text) svg.append(shape("text", { class: "closing", ...place }, lane.text));
    (lane.titles ?? []).forEach((title, column) => {
      if (title === null) return;
      const hit = shape("rect", {
        class: "hit",
        x: GUTTER + column * step,
        y: n * (LANE + LANE_GAP),
        width: step,
        height: LANE,
      });
      hit.append(shape("title", {}, title));
      svg.append(hit);
    });
  });
}

/** @param {any} svg @param {Lane} lane @param {(column: number) => number} x @param {(value: number) => number} y @param {number} step */
function drawBars(svg, { bars = [], marks }, x, y, step) {
  bars.forEach((value, column) => {
    if (value === null || !Number.isFinite(value)) return;
    const [a, b] = [y(Math.max(value, 0)), y(Math.min(value, 0))];
    const place = {
      x: x(column) - 0.31 * step,
      width: 0.62 * step,
      y: a,
      height: Math.max(b - a, 0.5),
    };
    svg.append(
      shape("rect", { class: value < 0 ? "minus" : "plus", opacity: marks ? 0.45 : 1, ...place }),
    );
    if (step < NUMBERED || marks) return;
    svg.append(
      shape(
        "text",
        { x: x(column), y: value < 0 ? b + 12 : a - 4, "text-anchor": "middle" },
        signed(value),
      ),
    );
  });
  (marks ?? []).forEach((value, column) => {
    if (value === null || !Number.isFinite(value)) return;
    const ends = {
      x1: x(column) - 0.4 * step,
      x2: x(column) + 0.4 * step,
      y1: y(value),
      y2: y(value),
    };
    svg.append(shape("line", { class: "patch", ...ends }));
    if (step < NUMBERED) return;
    svg.append(
      shape(
        "text",
        { x: x(column), y: y(value) + (value < 0 ? 13 : -5), "text-anchor": "middle" },
        signed(value),
      ),
    );
  });
}

/**
 * @param {any} svg @param {Line} line @param {number} rank the second one is dashed
 * @param {(column: number) => number} x @param {(value: number) => number} y @param {number} step
 */
function drawLine(svg, { values, name, above }, rank, x, y, step) {
  const points = values.flatMap((value, column) =>
    value === null || !Number.isFinite(value) ? [] : [{ column, value }],
  );
  const path = points.map(({ column, value }) => `${x(column)},${y(value)}`).join(" ");
  svg.append(shape("polyline", { class: rank ? "second" : "first", points: path }));
  for (const { column, value } of points) {
    svg.append(
      rank
        ? shape("rect", { class: "square", x: x(column) - 3, y: y(value) - 3, width: 6, height: 6 })
        : shape("circle", { class: "dot", cx: x(column), cy: y(value), r: 3 }),
    );
    if ((!name || above) && step >= NUMBERED) {
      const away = above && !above[column] ? 15 : -6;
      svg.append(
        shape(
          "text",
          { x: x(column), y: y(value) + away, "text-anchor": "middle" },
          twoDigits(value),
        ),
      );
    }
  }
  const last = points[points.length - 1];
  if (!name || !last) return;
  const low = above ? !above[last.column] : rank > 0;
  const place =
    step >= NUMBERED
      ? { x: x(last.column) + (above ? 18 : 9), y: y(last.value) + (low ? 12 : -2) }
      : { x: x(last.column) + step, y: y(last.value) + (low ? 15 : -7), "text-anchor": "end" };
  svg.append(
    shape("text", place, above && step >= NUMBERED ? name : `${name} ${twoDigits(last.value)}`),
  );
}
