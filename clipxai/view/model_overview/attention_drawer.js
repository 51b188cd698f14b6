// What does a head do? Its scores q·k, their softmax, and what that fetches, for what is followed.
// @ts-check
import { element } from "../browser/element.js";
import { fill } from "../browser/number.js";
import { createLargeMap, createSmallMap, paintSmallMap } from "./map.js";
import { askedPatch, patchesOf, placeOfToken, rowMap, rowOf, spanOf } from "./numbers.js";

/** @import { Store } from "../browser/state.js" */
/** @import { Drawer, OverviewArrays, OverviewHeader, OverviewState, Row } from "./types.js" */

const LINES = 5; // of the table

/**
 * @param {OverviewHeader} header
 * @param {OverviewArrays} arrays
 * @param {Store<OverviewState>} store
 * @param {(canvas: HTMLCanvasElement, patch: number) => void} cut
 * @returns {Drawer}
 */
export function createAttentionDrawer(header, arrays, store, cut) {
  const { words } = header;
  const tiles = Array.from({ length: header.heads }, (_, head) => {
    const [map, share] = [createSmallMap(header), element("span")];
    const button = element(
      "button",
      { type: "button", className: "head", onclick: () => store.set({ head }) },
      map,
      share,
    );
    return { button, map, share };
  });
  const large = createLargeMap(header, arrays, store, "");
  const lines = Array.from({ length: LINES }, () => createLine());
  const names = [words.looked, words.score, words.weight, ""];
  const last = element("th", { scope: "col" });
  const rest = element("caption", {});
  const heads = names.map((name) => element("th", { scope: "col" }, name));
  const table = element(
    "table",
    { className: "steps" },
    rest,
    element("thead", {}, element("tr", {}, ...heads, last)),
    element("tbody", {}, ...lines.map(({ row }) => row)),
  );
  const node = element(
    "div",
    { className: "opened" },
    element(
      "div",
      { className: "heads", role: "group", "aria-label": words.heads },
      ...tiles.map(({ button }) => button),
    ),
    large.node,
    table,
  );
  const follow = () => {
    const { state } = store;
    const patch = askedPatch(header, state);
    const mean = patch >= 0 && header.patch_heads === 1;
    tiles.forEach(({ button, map, share }, head) => {
      button.hidden = mean && head > 0;
      if (button.hidden) return;
      const row = rowOf(header, arrays, state.layer, head, patch);
      map.hidden = !row;
      if (row) paintSmallMap(map, header, arrays, roots(rowMap(header, [row])), spanOfRoots(row));
      share.textContent = mean ? words.mean_head : headLabel(header, arrays, state, head, patch);
      button.title = mean ? words.mean_head : fill(words.head, { head });
      button.setAttribute("aria-label", `${button.title} ${share.textContent}`);
      button.setAttribute("aria-pressed", String(mean || head === state.head));
    });
    const row = rowOf(header, arrays, state.layer, state.head, patch);
    table.hidden = !row;
    large.take(row && roots(rowMap(header, [row])), row ? spanOfRoots(row) : { low: 0, high: 0 });
    large.mark();
    if (row) fillTable(row, patch);
  };
  /**
   * @param {Row} row
   * @param {number} patch
   */
  const fillTable = (row, patch) => {
    const { state } = store;
    const worth = patch < 0 && arrays.fetched;
    last.textContent = worth ? words.worth : words.value;
    heads[1].hidden = !Number.isFinite(row.level);
    lines.forEach((line, n) => {
      line.row.hidden = n >= row.tokens.length;
      if (line.row.hidden) return;
      const [token, weight] = [row.tokens[n], row.weights[n]];
      const cell = placeOfToken(header, token);
      cut(line.crop, cell ? token - header.leading : -1);
      const other = token ? words.register : words.class;
      line.place.textContent = cell ? fill(words.short_place, { ...cell }) : other;
      line.score.hidden = !Number.isFinite(row.level);
      line.score.textContent = fill("{score:tenth}", { score: Math.log(weight) + row.level });
      line.bar.style.width = `${100 * (weight / row.weights[0])}%`;
      line.weight.textContent = fill(words.share_of, { weight });
      line.even.textContent = fill(words.even, { times: weight * row.count });
      line.worth.textContent = worth
        ? fill("{worth:signed}", { worth: fetchedAt(header, arrays, state, n) })
        : fill("{value:tenth}", { value: valueAt(header, arrays, state, token) });
    });
    const kept = row.weights.slice(0, LINES).reduce((sum, weight) => sum + weight, 0);
    const count = row.count - Math.min(LINES, row.tokens.length);
    rest.textContent = fill(words.rest, { count, share: Math.max(0, 1 - kept) });
  };
  return { node, show: follow, follow, draw: large.draw };
}

/** A line of the table. */
function createLine() {
  const crop = element("canvas", { className: "crop", height: 22, width: 22 });
  const [place, score] = [element("td", {}), element("td", {})];
  const [bar, weight] = [element("i", { className: "plus" }), element("span", {})];
  const [even, worth] = [element("td", { className: "even" }), element("td", {})];
  const name = element("span", {});
  place.append(crop, name);
  const track = element("td", { className: "track" }, bar, weight);
  const row = element("tr", {}, place, score, track, even, worth);
  return { row, crop, place: name, score, bar, weight, even, worth };
}

/**
 * What stands below the small map of a head: its number, and what it is worth if that is known.
 * @param {OverviewHeader} header
 * @param {OverviewArrays} arrays
 * @param {OverviewState} state
 * @param {number} head
 * @param {number} patch
 */
function headLabel({ heads, texts }, arrays, { layer, text }, head, patch) {
  if (patch >= 0 || !arrays.heads) return String(head);
  const share = arrays.heads[(layer * heads + head) * texts.length + text];
  return fill("{share:signed}", { share });
}

/**
 * @param {OverviewHeader} header
 * @param {OverviewArrays} arrays
 * @param {OverviewState} state
 * @param {number} n
 */
function fetchedAt({ heads, texts, kept_class }, { fetched }, { layer, head, text }, n) {
  const at = ((layer * heads + head) * texts.length + text) * kept_class + n;
  return fetched ? fetched[at] : NaN;
}

/**
 * @param {OverviewHeader} header
 * @param {OverviewArrays} arrays
 * @param {OverviewState} state
 * @param {number} token
 */
function valueAt(header, { values }, { layer, head }, token) {
  const own = header.patch_heads === 1 ? 1 : header.heads;
  const count = header.leading + patchesOf(header);
  const at = (layer * own + Math.min(head, own - 1)) * count + token;
  return values ? values[at] : NaN;
}

/**
 * Weights are so uneven that most of a linear scale would stay empty.
 * @param {Float32Array} weights
 */
export function roots(weights) {
  return weights.map(Math.sqrt);
}

/** @param {Row} row */
function spanOfRoots({ weights }) {
  return { low: 0, high: Math.sqrt(Math.max(...weights, 0)) };
}

/**
 * The same of a map.
 * @param {Float32Array} values
 */
export function spanFromZero(values) {
  return { low: 0, high: Math.max(0, spanOf(values).high) };
}
