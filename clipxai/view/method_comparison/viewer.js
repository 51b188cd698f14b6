// Do methods agree about where a text is? Maps of one image side by side under one cross-hair.
// @ts-check
import { below, isFlag, isShare, oneOf, patchIn, restored } from "../browser/keep.js";
import { fill } from "../browser/number.js";
import { createMapPanel } from "../browser/panel.js";
import { createPhotoPanel } from "../browser/picture.js";
import { startViewer } from "../browser/start.js";
import { createStore, focused, UNTOUCHED } from "../browser/state.js";
import { createSurroundings } from "./surroundings.js";
import { meritsOf, tableOf } from "./table.js";

/** @import { Checks } from "../browser/keep.js" */
/** @import { MapPanel, MapSpec } from "../browser/panel.js" */
/** @import { Panel } from "../browser/picture.js" */
/** @import { State, Store } from "../browser/state.js" */
/** @import { ComparisonArrays, ComparisonHeader, ComparisonSpec } from "./types.js" */
/** @import { ComparisonState } from "./types.js" */

// panels of a row share their rows, so that pictures stay level whatever is written around them;
// the photo stands beside all rows of maps
const STYLE = `
.method_comparison .panel {
  grid-row: span 5; grid-template-rows: subgrid; align-self: stretch;
}
.method_comparison .photo { grid-column: 1; grid-row: 1 / span calc(5 * var(--rows, 1)); }
.method_comparison figcaption { align-self: end; }
.method_comparison .stage { row-gap: 3px; }
.method_comparison .photo figcaption span { display: none; }
.method_comparison .readout { margin-bottom: 6px; }
@container (max-width: 860px) { .method_comparison .way { font-size: 14px; } }
.method_comparison [data-dense] { column-gap: 10px; }
.method_comparison [data-dense] .numbers span:nth-child(2):not(:last-child) { display: none; }
@container (max-width: 1000px) {
  .method_comparison [data-dense] :is(.bar, .numbers) { display: none; }
  .method_comparison [data-dense] .way { font-size: 12px; }
  .method_comparison [data-dense] .panel { grid-row: span 3; }
  .method_comparison [data-dense] .photo { grid-row: 1 / span calc(3 * var(--rows, 1)); }
}
/* a verdict takes two lines, and keeps their place while a patch is read */
@container (max-width: 640px) {
  .method_comparison figcaption b { font-size: 13px; }
  .method_comparison .numbers span:nth-child(2):not(:last-child) { display: none; }
  .method_comparison :is(.readout, .way) {
    min-height: 36px; line-height: 18px; white-space: normal;
  }
  .method_comparison [data-dense] :is(.readout, .way) { min-height: 32px; line-height: 16px; }
}
@container (max-width: 430px) { .method_comparison .photo { grid-row: span 5; } }
`;

/**
 * @param {ComparisonHeader} header
 * @param {ComparisonArrays} arrays
 * @param {unknown} view
 */
function build(header, arrays, view) {
  /** @type {ComparisonState} */
  const first = {
    ...UNTOUCHED,
    text: header.text,
    scaling: 0,
    alpha: header.alpha,
    smooth: true,
    overlay: 0,
    threshold: header.overlays[0].threshold,
  };
  const checks = checksOf(header);
  const store = createStore({ ...first, ...restored(view, checks) }, header.grids);
  const parts = createParts(header, arrays, store);
  const change = (/** @type {ComparisonState} */ now, /** @type {ComparisonState} */ before) => {
    parts.show(now);
    if (now.text !== before.text) parts.rebuild();
    else if (now.scaling !== before.scaling) parts.describe();
  };
  return { ...parts, store, checks, change };
}

/**
 * What is kept of the state, and when it fits.
 * @param {Pick<ComparisonHeader, "layouts" | "scalings" | "grids" | "overlays">} header
 * @returns {Checks<ComparisonState>}
 */
export function checksOf({ layouts, scalings, grids, overlays }) {
  return {
    text: oneOf(layouts.map(({ text }) => text)),
    scaling: below(scalings.length),
    alpha: isShare,
    smooth: isFlag,
    overlay: below(overlays.length),
    threshold: isShare,
    pinned: patchIn(grids),
  };
}

/**
 * Which panels stand where.
 * @param {Pick<ComparisonHeader, "layouts">} header
 * @param {string | null} text
 */
function rowsOf({ layouts }, text) {
  return layouts.find((layout) => layout.text === text)?.rows ?? layouts[0].rows;
}

/**
 * The text in the place of another: the same one, or that which has its number now.
 * @param {Pick<ComparisonHeader, "layouts">} header
 * @param {Pick<ComparisonHeader, "layouts">} next
 * @param {string | null} text
 */
function nextText({ layouts }, next, text) {
  if (next.layouts.some((layout) => layout.text === text)) return text;
  return next.layouts[layouts.findIndex((layout) => layout.text === text)]?.text ?? null;
}

/**
 * What decides where everything stands: payloads that agree in it differ in words and numbers only.
 * @param {ComparisonHeader} header
 * @param {string | null} text
 */
function layoutOf(header, text) {
  const { photo, grids, panels, layouts } = header;
  const sources = panels.map(({ source }) => source);
  return JSON.stringify([photo, grids, sources, layouts.length, rowsOf(header, text)]);
}

/**
 * A map with its numbers.
 * @param {ComparisonHeader} header
 * @param {ComparisonArrays} arrays
 * @param {number} n
 * @param {number[]} shown all that are on the page: the title tells what they differ in
 * @returns {MapSpec}
 */
function specOf({ panels, grids, scalings, outlines, refined, words }, arrays, n, shown) {
  const { source, row, text, title, name, method, overlaps, told } = panels[n];
  const cut = (/** @type {number} */ threshold) =>
    fill(words.cut, { iou: overlaps[Math.round(100 * threshold)] / 100 });
  const of = (/** @type {"method" | "text"} */ key) =>
    new Set(shown.map((one) => panels[one][key]));
  const [methods, texts] = [of("method").size, of("text").size];
  const size = grids[source].height * grids[source].width;
  const area = refined ? refined.size[0] * refined.size[1] : 0;
  return {
    ...panels[n],
    title: methods > 1 ? name : title,
    subtitle: methods > 1 && texts > 1 ? title : "",
    told: [method, told].filter(Boolean).join("\n"),
    values: arrays[`maps${source}`].subarray(row * size, (row + 1) * size),
    scales: scalings.map(({ scales }) => scales[n]),
    outlines: outlines[text],
    cut: overlaps.length ? cut : undefined,
    refined: refined && { ...refined, mask: arrays.masks.subarray(n * area, (n + 1) * area) },
  };
}

/**
 * `rebuild` after another text, `describe` after another scale; `show` shows at once what is cheap.
 * @param {ComparisonHeader} header
 * @param {ComparisonArrays} arrays
 * @param {Store<ComparisonState>} store
 */
function createParts(header, arrays, store) {
  const around = createSurroundings(
    header,
    store,
    () => tableOf(header, maps, specs),
    () => meritsOf(header, specs),
  );
  const { stage, print, tables: folds } = around;
  const tables = { viridis: arrays.viridis, RdBu_r: arrays.RdBu_r };
  let taking = false;
  /** @type {number[]} */
  let numbers = []; // of the maps on the page
  /** @type {MapPanel[]} */
  let maps = [];
  /** @type {ComparisonSpec[]} */
  let specs = [];
  /** @type {Panel[]} */
  let photos = [];
  const draw = () => {
    for (const photo of photos) photo.draw(store.state);
    for (const map of maps) map.draw(store.state);
  };
  const paint = () => {
    for (const photo of photos) photo.update(store.state);
    for (const map of maps) map.update(store.state);
  };
  const describe = () => {
    const { caption } = header.scalings[store.state.scaling];
    print.write([caption, ...header.notes, ...header.dropped]);
    for (const table of folds) table.show();
  };
  return {
    nodes: around.nodes,
    show: around.show,
    draw,
    paint,
    describe,
    rebuild() {
      if (taking) return;
      const rows = rowsOf(header, store.state.text);
      const widest = Math.max(...rows.map((row) => row.length));
      stage.style.setProperty("--columns", String(widest));
      stage.style.setProperty("--rows", String(rows.length));
      stage.toggleAttribute("data-few", widest <= 3);
      stage.toggleAttribute("data-dense", widest > 3 && rows.length > 1);
      [maps, specs, photos] = [[], [], []];
      numbers = rows.flat().filter((n) => n !== null);
      const panels = rows.flat().map((n) => {
        if (n === null) {
          const photo = createPhotoPanel(header, store);
          photos.push(photo);
          return photo;
        }
        const map = createMapPanel(header, tables, specOf(header, arrays, n, numbers), store);
        specs.push(header.panels[n]);
        maps.push(map);
        return map;
      });
      stage.replaceChildren(...panels.map(({ node }) => node));
      around.show(store.state);
      draw();
      describe();
    },
    /** @param {ComparisonState} state */
    story: ({ text }) => header.layouts.find((layout) => layout.text === text)?.story ?? "",
    /** @param {ComparisonState} state */
    says: (state) => spoken(header, state, maps, specs),
    /**
     * @param {ComparisonHeader} next
     * @param {ComparisonArrays} values
     */
    take(next, values) {
      const { text } = store.state;
      const same = nextText(header, next, text);
      if (layoutOf(header, text) !== layoutOf(next, same)) return false;
      [header, arrays] = [next, values];
      taking = true; // what stands on the page stays where it is
      if (same !== text) store.set({ text: same });
      taking = false;
      specs = numbers.map((n) => header.panels[n]);
      around.name(header);
      maps.forEach((map, at) => map.take(specOf(header, arrays, numbers[at], numbers)));
      paint();
      describe();
      return true;
    },
  };
}

/**
 * What a screen reader says of the focused patch.
 * @param {ComparisonHeader} header
 * @param {State} state
 * @param {MapPanel[]} maps
 * @param {ComparisonSpec[]} specs of the maps
 */
function spoken({ words }, state, maps, specs) {
  const cell = focused(state);
  if (!cell) return words.no_patch;
  const told = maps.map((map, n) => {
    const { title, method } = specs[n];
    return fill(words.spoken_map, { title, method, reading: map.read(cell) });
  });
  return fill(words.spoken, { row: cell.row, column: cell.column, maps: told.join("; ") });
}

export default startViewer("method_comparison", STYLE, build);
