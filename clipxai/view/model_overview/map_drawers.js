// What did a module add, what does the stream say, and what does CLIP Surgery make of it? Maps side
// by side.
// @ts-check
import { element } from "../browser/element.js";
import { fill } from "../browser/number.js";
import { roots, spanFromZero } from "./attention_drawer.js";
import { createChart } from "./chart.js";
import { createLargeMap } from "./map.js";
import {
  askedPatch,
  followedPatch,
  lensAt,
  lensMap,
  railMap,
  railRow,
  rowMap,
  rowOf,
  shareOf,
  sharesMap,
  spanAroundZero,
  spanOf,
} from "./numbers.js";

/** @import { Store } from "../browser/state.js" */
/** @import { Drawer, OverviewArrays, OverviewHeader, OverviewState } from "./types.js" */

/**
 * An FFN's addition, between what was before the block and after it.
 * @param {OverviewHeader} header
 * @param {OverviewArrays} arrays
 * @param {Store<OverviewState>} store
 * @returns {Drawer}
 */
export function createFfnDrawer(header, arrays, store) {
  const { words } = header;
  const maps = ["", "", "", ""].map((line) => createLargeMap(header, arrays, store, line));
  const [before, attention, ffn, after] = maps;
  ffn.node.classList.add("chosen");
  const node = element("div", { className: "opened" }, ...maps.map(({ node: one }) => one));
  const follow = () => {
    const { layer, text } = store.state;
    const patch = followedPatch(header, store.state);
    const column = { first: layer, last: layer };
    const value = (/** @type {number} */ station) => lensAt(header, arrays, station, text, patch);
    const share = (/** @type {"attention" | "ffn"} */ module) =>
      shareOf(header, arrays, module, column, text, patch) ?? NaN;
    before.line.textContent = fill(words.before, { value: value(layer) });
    attention.line.textContent = fill(words.attention_map, { value: share("attention") });
    ffn.line.textContent = fill(words.ffn_map, { value: share("ffn") });
    after.line.textContent = fill(words.after, { value: value(layer + 1) });
    for (const map of maps) map.mark();
  };
  const show = () => {
    const { layer, text } = store.state;
    const [first, last] = [0, 1].map((n) => lensMap(header, arrays, layer + n, text));
    before.take(first, spanOf(first));
    after.take(last, spanOf(last));
    attention.node.hidden = ffn.node.hidden = !arrays.ffn;
    if (arrays.attention && arrays.ffn) {
      const parts = [arrays.attention, arrays.ffn].map((one) =>
        sharesMap(header, one, layer, text),
      );
      const span = spanAroundZero(parts);
      attention.take(parts[0], span, header.diverging);
      ffn.take(parts[1], span, header.diverging);
    }
    follow();
  };
  return { node, show, follow, draw: () => maps.forEach((map) => map.draw()) };
}

/**
 * The map that the stream is after a block, and the cosine on the way.
 * @param {OverviewHeader} header
 * @param {OverviewArrays} arrays
 * @param {Store<OverviewState>} store
 * @param {boolean} [start] that before the first block
 * @returns {Drawer}
 */
export function createStreamDrawer(header, arrays, store, start = false) {
  const large = createLargeMap(header, arrays, store, "");
  const chart = createChart(header, arrays, store);
  const node = element("div", { className: "opened" }, large.node, chart.node);
  const station = () => (start ? 0 : Math.min(store.state.layer + 1, header.stations - 1));
  const follow = () => {
    const patch = followedPatch(header, store.state);
    const value = lensAt(header, arrays, station(), store.state.text, patch);
    large.line.textContent = fill(header.words.cosine_now, { value });
    large.mark();
    chart.show(station());
  };
  const show = () => {
    const values = lensMap(header, arrays, station(), store.state.text);
    large.take(values, spanOf(values));
    follow();
  };
  const draw = () => {
    large.draw();
    follow();
  };
  return { node, show, follow, draw };
}

/**
 * Who a patch listens to on both rails, and what the second one says here and at its end.
 * @param {OverviewHeader} header
 * @param {OverviewArrays} arrays
 * @param {Store<OverviewState>} store
 * @returns {Drawer}
 */
export function createRailDrawer(header, arrays, store) {
  const { words } = header;
  const lines = [words.qk_row, words.vv_row, words.rail_map, words.rail_end];
  const maps = lines.map((line) => createLargeMap(header, arrays, store, line));
  const [asked, alike, here, end] = maps;
  const node = element("div", { className: "opened" }, ...maps.map(({ node: one }) => one));
  const rail = header.rail ?? { blocks: 0, switches: 0, names: [], titles: [] };
  const place = () => Math.max(0, store.state.layer - (header.layers - rail.blocks));
  const follow = () => {
    const patch = askedPatch(header, store.state, true);
    const heads = Array.from({ length: header.patch_heads }, (_, head) => head);
    const rows = heads.map((head) => rowOf(header, arrays, store.state.layer, head, patch));
    const known = rows.filter((row) => row !== null);
    const vv = railRow(header, arrays, place(), patch);
    asked.node.hidden = !known.length;
    alike.node.hidden = !vv;
    const maps_of = known.length && vv ? [rowMap(header, known), rowMap(header, [vv])] : [];
    maps_of.map(roots).forEach((map, n) => [asked, alike][n].take(map, spanFromZero(map)));
    const on = (store.state.setting & 1) === 1;
    asked.node.classList.toggle("chosen", !on);
    alike.node.classList.toggle("chosen", on);
    for (const map of maps) map.mark(patch);
  };
  const show = () => {
    const stations = [place() + 1, rail.blocks];
    stations.forEach((station, n) => {
      const values = railMap(header, arrays, station, store.state);
      const map = [here, end][n];
      map.node.hidden = !values || (n === 0 && station === rail.blocks);
      if (values) map.take(values, spanOf(values));
    });
    follow();
  };
  return { node, show, follow, draw: () => maps.forEach((map) => map.draw()) };
}
