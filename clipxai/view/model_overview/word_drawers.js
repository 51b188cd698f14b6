// How is a text read, what is a patch to begin with, and where do image and text meet?
// @ts-check
import { element, shape } from "../browser/element.js";
import { fill, twoDigits } from "../browser/number.js";
import { createStreamDrawer } from "./map_drawers.js";
import { followedPatch, lensAt } from "./numbers.js";

/** @import { Store } from "../browser/state.js" */
/** @import { Drawer, OverviewArrays, OverviewHeader, OverviewState } from "./types.js" */

const MOST = 5; // lines of a table of text blocks

/**
 * What the token that is read gives to each word, block by block.
 * @param {OverviewHeader} header
 * @param {OverviewArrays} arrays
 * @param {Store<OverviewState>} store
 * @returns {Drawer}
 */
export function createTextDrawer(header, arrays, store) {
  const { words } = header;
  const node = element("div", { className: "opened scroll" });
  const show = () => {
    const { text, word } = store.state;
    const tokens = header.readings[text] ?? [];
    const [rows, lens] = [arrays[`reading_${text}`], arrays[`text_lens_${text}`]];
    if (!rows) return;
    const shown = someOf(header.text_layers);
    const names = tokens.map((token, n) =>
      element("th", { scope: "col", "aria-current": String(n === word) }, token),
    );
    const lines = shown.map((layer) => {
      const cells = tokens.map((_, n) => {
        const weight = rows[layer * tokens.length + n];
        const cell = element("td", { "aria-current": String(n === word) }, twoDigits(weight));
        cell.style.setProperty("--share", `${Math.round(85 * weight)}%`);
        return cell;
      });
      const name = element("th", { scope: "row" }, fill(words.block, { layer }));
      const end = fill(words.read_at, { value: lens[layer + 1] });
      return element("tr", {}, name, ...cells, element("td", { className: "stop" }, end));
    });
    const head = element("tr", {}, element("th", {}), ...names, element("th", {}));
    const table = element(
      "table",
      { className: "reading" },
      element("thead", {}, head),
      element("tbody", {}, ...lines),
    );
    node.replaceChildren(table);
  };
  return { node, show, follow: () => {} };
}

/**
 * A few of many, the first and the last among them.
 * @param {number} count
 */
function someOf(count) {
  const many = Math.min(count, MOST);
  const at = (/** @type {number} */ n) => Math.round((n * (count - 1)) / Math.max(1, many - 1));
  return Array.from({ length: many }, (_, n) => at(n));
}

/**
 * The cosines of all texts with the whole image and with the patch that is followed.
 * @param {OverviewHeader} header
 * @param {OverviewArrays} arrays
 * @param {Store<OverviewState>} store
 * @returns {Drawer}
 */
export function createJointDrawer(header, arrays, store) {
  const { words, texts } = header;
  const angle = element("p", {});
  const arrows = shape("svg", { class: "angle", viewBox: "0 -10 150 140", "aria-hidden": "true" });
  const lines = texts.map((text, n) => {
    const bars = [words.whole, ""].map((name) => {
      const bar = element("i", {});
      const [label, value] = [element("span", {}, name), element("b", {})];
      const track = element("span", { className: "track" }, bar);
      return {
        row: element("div", { className: "cosine-row" }, label, track, value),
        bar,
        label,
        value,
      };
    });
    const node = element(
      "div",
      { className: "text-row" },
      element("b", {}, text),
      ...bars.map(({ row }) => row),
    );
    return { node, bars, n };
  });
  const list = element("div", { className: "joined" }, angle, ...lines.map((line) => line.node));
  const node = element("div", { className: "opened" }, arrows, list);
  const drawAngle = (/** @type {number} */ degrees) => {
    const turn = (degrees * Math.PI) / 180;
    const [x, y] = [70 + 56 * Math.cos(turn), 66 - 56 * Math.sin(turn)];
    const arc = `M96 66A26 26 0 0 0 ${70 + 26 * Math.cos(turn)} ${66 - 26 * Math.sin(turn)}`;
    arrows.replaceChildren(
      shape("path", { d: "M70 66H126", class: "one" }),
      shape("path", { d: `M70 66L${x} ${y}`, class: "other" }),
      shape("path", { d: arc }),
      shape("circle", { cx: 126, cy: 66, r: 4, class: "one" }),
      shape("circle", { cx: x, cy: y, r: 4, class: "other" }),
      shape("text", { x: 126, y: 84, class: "one" }, words.text_vector),
      shape("text", { x, y: y > 66 ? y + 16 : y - 8, class: "other" }, words.image_vector),
    );
  };
  const follow = () => {
    const patch = followedPatch(header, store.state);
    const end = header.stations - 1;
    const value = lensAt(header, arrays, end, store.state.text, patch);
    const degrees = (Math.acos(Math.max(-1, Math.min(1, value))) * 180) / Math.PI;
    drawAngle(degrees);
    angle.textContent = fill(words.joint_says, { angle: degrees });
    for (const { node: row, bars, n } of lines) {
      row.toggleAttribute("data-current", n === store.state.text);
      bars.forEach(({ row: one, bar, label, value: told }, k) => {
        one.hidden = k === 1 && patch < 0;
        const cosine = lensAt(header, arrays, end, n, k ? patch : -1);
        if (k) label.textContent = patchName(header, patch);
        bar.className = cosine < 0 ? "minus" : "plus";
        bar.style.width = `${Math.min(100, 100 * Math.abs(cosine))}%`;
        told.textContent = twoDigits(cosine);
      });
    }
  };
  return { node, show: follow, follow };
}

/**
 * Pixels of a patch, and what they are worth before any block.
 * @param {OverviewHeader} header
 * @param {OverviewArrays} arrays
 * @param {Store<OverviewState>} store
 * @param {(canvas: HTMLCanvasElement, patch: number) => void} cut
 * @returns {Drawer}
 */
export function createImageDrawer(header, arrays, store, cut) {
  const { words, grids, width } = header;
  const [top, left, bottom, right] = grids[0].box;
  const crop = element("canvas", { className: "piece", height: 120, width: 120 });
  const values = {
    height: Math.round((bottom - top) / grids[0].height),
    width: Math.round((right - left) / grids[0].width),
    width_d: width,
  };
  const line = element("span", { className: "line" }, fill(words.pixels, values));
  const piece = element("figure", { className: "large" }, crop, line);
  const stream = createStreamDrawer(header, arrays, store, true);
  const node = element("div", { className: "opened" }, piece, stream.node);
  stream.node.className = "inner";
  const follow = () => {
    cut(crop, Math.max(0, followedPatch(header, store.state)));
    stream.follow();
  };
  const show = () => {
    stream.show();
    follow();
  };
  return { node, show, follow, draw: stream.draw };
}

/**
 * @param {OverviewHeader} header
 * @param {number} patch
 */
export function patchName({ grids, words }, patch) {
  if (patch < 0) return words.whole;
  const { width } = grids[0];
  return fill(words.patch, { row: Math.floor(patch / width), column: patch % width });
}
