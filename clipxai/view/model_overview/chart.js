// How does the cosine grow from block to block? Lines of what is followed, on both rails.
// @ts-check
import { shape } from "../browser/element.js";
import { twoDigits } from "../browser/number.js";
import { followedPatch, lensAt, railMap } from "./numbers.js";

/** @import { Store } from "../browser/state.js" */
/** @import { OverviewArrays, OverviewHeader, OverviewState } from "./types.js" */

const [LEFT, RIGHT, ABOVE, BELOW] = [44, 96, 12, 22];

/**
 * @param {OverviewHeader} header
 * @param {OverviewArrays} arrays
 * @param {Store<OverviewState>} store
 */
export function createChart(header, arrays, store) {
  const { words, stations } = header;
  const node = shape("svg", { class: "chart", role: "img", "aria-label": words.chart });
  /** @param {number} station that is open */
  const show = (station) => {
    const [width, height] = [node.clientWidth || 480, node.clientHeight || 150];
    const { state } = store;
    const patch = followedPatch(header, state);
    const all = Array.from({ length: stations }, (_, n) => n);
    const raw = all.map((n) => lensAt(header, arrays, n, state.text, patch));
    const second = patch < 0 ? [] : secondOf(header, arrays, state, patch);
    const known = [...raw, ...second.map(({ value }) => value), 0].filter(Number.isFinite);
    const [low, high] = [Math.min(...known), Math.max(...known)];
    const x = (/** @type {number} */ n) =>
      LEFT + (n / Math.max(1, stations - 1)) * (width - LEFT - RIGHT);
    const y = (/** @type {number} */ value) =>
      ABOVE + ((high - value) / (high - low || 1)) * (height - ABOVE - BELOW);
    node.replaceChildren(
      shape("path", { d: `M${LEFT} ${y(0)}H${width - RIGHT}`, class: "zero" }),
      shape("path", { d: `M${x(station)} ${ABOVE}V${height - BELOW}`, class: "open" }),
      ...[low, high].map((value) =>
        shape("text", { x: LEFT - 6, y: y(value) + 4, class: "end" }, twoDigits(value)),
      ),
      shape("text", { x: (LEFT + width - RIGHT) / 2, y: height - 6, class: "mid" }, words.chart),
    );
    const ends = [
      { values: all.map((n) => ({ n, value: raw[n] })), kind: "model", name: words.chart_raw },
    ];
    if (second.length) ends.push({ values: second, kind: "rail", name: words.chart_rail });
    const apart = second.length ? y(second[second.length - 1].value) - y(raw[stations - 1]) : 99;
    for (const [k, { values, kind, name }] of ends.entries()) {
      const d = values.map(({ n, value }, m) => `${m ? "L" : "M"}${x(n)} ${y(value)}`).join("");
      node.append(shape("path", { d, class: kind }));
      for (const { n, value } of values)
        node.append(shape("circle", { cx: x(n), cy: y(value), r: 3, class: kind }));
      const end = values[values.length - 1];
      const shift = Math.abs(apart) < 15 ? (k ? 9 : -7) * (apart < 0 ? -1 : 1) : 0;
      node.append(
        shape("text", { x: x(end.n) + 8, y: y(end.value) + 4 + shift, class: kind }, name),
      );
    }
  };
  return { node, show };
}

/**
 * The followed patch on the second rail, where it has been read out there.
 * @param {OverviewHeader} header
 * @param {OverviewArrays} arrays
 * @param {OverviewState} state
 * @param {number} patch
 */
function secondOf(header, arrays, state, patch) {
  if (!header.rail || !header.stream) return [];
  const { blocks, switches } = header.rail;
  const plain = { ...state, setting: state.setting & (2 ** switches - 1) }; // cosines, all of them
  const stations = Array.from({ length: blocks + 1 }, (_, n) => n);
  return stations.flatMap((n) => {
    const values = railMap(header, arrays, n, plain);
    return values ? [{ n: header.stations - 1 - blocks + n, value: values[patch] }] : [];
  });
}
