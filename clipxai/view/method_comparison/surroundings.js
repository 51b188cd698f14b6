// What stands around the maps of a comparison: controls, the stage, and what is folded away below.
// @ts-check
import {
  createChips,
  createControls,
  createMapControls,
  createSelect,
  createSlider,
} from "../browser/controls.js";
import { element } from "../browser/element.js";
import { fill, twoDigits } from "../browser/number.js";
import { createSmallPrint, createTableDetails } from "../browser/small_print.js";
import { createStage, nameStage } from "../browser/stage.js";
import { focused, showsPinned } from "../browser/state.js";

/** @import { Table } from "../browser/small_print.js" */
/** @import { State, Store } from "../browser/state.js" */
/** @import { ComparisonHeader, ComparisonState } from "./types.js" */

/**
 * Everything around the maps.
 * @param {ComparisonHeader} header
 * @param {Store<ComparisonState>} store
 * @param {() => Table} makeTable
 * @param {() => Table} makeMerits
 */
export function createSurroundings(header, store, makeTable, makeMerits) {
  const { words, layouts, scalings, overlays } = header;
  const { state } = store;
  let chips = createLayoutChips(header, store);
  const cut = createSlider((threshold) => store.set({ threshold }));
  const level = element("output");
  const threshold = element("label", { className: "cut" }, "threshold ", cut, level);
  const colours = createSelect(
    "colours",
    scalings.map(({ label }) => label),
    state.scaling,
    (scaling) => store.set({ scaling }),
  );
  const overlay = createSelect(
    "overlay",
    overlays.map(({ label }) => label),
    state.overlay,
    (n) => store.set({ overlay: n, threshold: overlays[n].threshold }),
  );
  const several = layouts.length > 2; // all texts, and each alone
  const choices = [colours, overlay, threshold, ...createMapControls(store)];
  const controls = createControls(...(several ? [chips.bar] : []), ...choices);
  const stage = createStage(header.summary, words.keys, store, {});
  const print = createSmallPrint(words.help);
  const tables = [
    createTableDetails(words.merits, makeMerits),
    createTableDetails(words.table, makeTable),
  ];
  const folds = [print.caption, ...tables.map(({ details }) => details)];
  return {
    stage,
    print,
    tables,
    nodes: [controls, stage, print.status, print.help, ...folds],
    /** @param {ComparisonState} now */
    show(now) {
      chips.show(now.text);
      print.show(now);
      stage.style.setProperty("--alpha", String(now.alpha));
      threshold.hidden = !now.overlay;
      cut.value = String(Math.round(100 * now.threshold));
      level.textContent = twoDigits(now.threshold);
      print.status.textContent = statusLine(words, now);
    },
    /**
     * Everything that is called after the texts.
     * @param {ComparisonHeader} next
     */
    name(next) {
      nameStage(stage, next.summary, words.keys);
      const before = chips;
      chips = createLayoutChips(next, store);
      before.bar.replaceWith(chips.bar);
      chips.show(store.state.text);
    },
  };
}

/**
 * All texts, or one.
 * @param {ComparisonHeader} header
 * @param {Store<ComparisonState>} store
 */
function createLayoutChips({ layouts }, store) {
  const choices = layouts.map(({ text, title }) => ({ name: title, value: text }));
  return createChips("text", choices, (text) => store.set({ text }));
}

/**
 * @param {Pick<ComparisonHeader["words"], "idle" | "place" | "pinned_place">} words
 * @param {State} state
 */
export function statusLine(words, state) {
  const cell = focused(state);
  if (!cell) return words.idle;
  return fill(showsPinned(state) ? words.pinned_place : words.place, { ...cell });
}
