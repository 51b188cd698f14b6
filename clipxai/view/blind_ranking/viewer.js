// Which map would you believe? Maps without names are ranked by eye; then names, contrast and truth
// appear, and a code that says how they were ranked.
// @ts-check
import { createControls, createMapControls } from "../browser/controls.js";
import { element } from "../browser/element.js";
import { isFlag, isShare, patchIn, restored } from "../browser/keep.js";
import { fill } from "../browser/number.js";
import { createPhotoPanel } from "../browser/picture.js";
import { createSmallPrint } from "../browser/small_print.js";
import { createStage } from "../browser/stage.js";
import { startViewer } from "../browser/start.js";
import { createStore, focused, showsPinned, UNTOUCHED } from "../browser/state.js";
import { CARD_STYLE, createCard } from "./card.js";

/** @import { Checks } from "../browser/keep.js" */
/** @import { BlindArrays, BlindHeader, BlindState } from "./types.js" */

const STYLE = `
.blind_ranking .photo { grid-column: 1; grid-row: 1 / span calc(3 * var(--rows, 1)); }
@container (min-width: 621px) {
  .blind_ranking .stage {
    grid-template-columns: repeat(var(--columns), minmax(0, max(var(--wide, 320px), 165px)));
  }
}
.blind_ranking .story { min-height: 2.6em; } /* what is said after revealing is longer */
.reveal {
  font: inherit; font-weight: 600; color: var(--page); background: var(--accent);
  border: 1px solid var(--accent); border-radius: 4px; padding: 2px 14px; min-height: 28px;
  cursor: pointer;
}
.code { display: flex; align-items: center; }
.code input {
  font: 600 16px/1.3 ui-monospace, monospace; color: var(--text); background: transparent;
  border: 1px solid var(--line); border-radius: 4px; padding: 2px 8px; min-height: 28px;
  width: 22ch;
}
/* beside JupyterLab's file browser names, votes and verdicts need the room of the photo, which lies
   below every map */
@container (541px <= width <= 640px) {
  .blind_ranking .stage[data-revealed] {
    column-gap: 10px; grid-template-columns: repeat(calc(var(--columns) - 1), minmax(0, 1fr));
  }
  .blind_ranking .stage[data-revealed] > .photo { display: none; }
}
@container (max-width: 430px) { .blind_ranking .photo { grid-row: span 3; } }
`;

/**
 * @param {BlindHeader} header
 * @param {BlindArrays} arrays
 * @param {unknown} view
 */
function build(header, arrays, view) {
  const { alpha, counts, grids, maps, words } = header;
  /** @type {Checks<BlindState>} */
  const checks = {
    alpha: isShare,
    smooth: isFlag,
    pinned: patchIn(grids),
    ...(counts ? {} : { revealed: isFlag, order: isOrderOf(maps.length) }),
  };
  /** @type {BlindState} */
  const first = {
    ...UNTOUCHED,
    alpha,
    smooth: true,
    order: header.order,
    revealed: counts !== null,
    moved: null,
  };
  const store = createStore({ ...first, ...restored(view, checks) }, grids);
  const photo = createPhotoPanel(header, store);
  const cards = maps.map((_, n) => createCard(header, arrays, n, store));
  const stage = createStage(header.summary, words.keys, store, {}, photo.node);
  stage.style.setProperty("--columns", String(1 + header.columns));
  stage.style.setProperty("--rows", String(Math.ceil(maps.length / header.columns)));
  const reveal = element(
    "button",
    { type: "button", className: "reveal", onclick: () => store.set({ revealed: true }) },
    words.reveal,
  );
  const code = element("input", { readOnly: true, onfocus: () => code.select() });
  const coded = element("label", {}, `${words.code} `, code);
  const below = element("div", { className: "code", hidden: counts !== null }, reveal, coded);
  const print = createSmallPrint(words.help);
  const says = (/** @type {BlindState} */ state) => spoken(header, state);
  const arrange = () => {
    const root = /** @type {Document | ShadowRoot} */ (stage.getRootNode());
    const held = /** @type {HTMLElement | null} */ (root.activeElement);
    stage.append(...store.state.order.map((n) => cards[n].node));
    if (held && stage.contains(held)) held.focus(); // a node that moves loses it
  };
  arrange();
  const controls = createControls(...createMapControls(store));
  controls.prepend(below);
  return {
    nodes: [controls, stage, ...print.nodes],
    store,
    checks,
    says,
    story: (/** @type {BlindState} */ state) => told(header, state),
    change(/** @type {BlindState} */ now, /** @type {BlindState} */ before) {
      if (now.order !== before.order) arrange();
    },
    paint() {
      const { state } = store;
      print.show(state);
      const named = state.revealed ? header.named_notes : [];
      print.write([...header.notes, ...named, ...header.dropped]);
      stage.style.setProperty("--alpha", String(state.alpha));
      stage.toggleAttribute("data-revealed", state.revealed);
      reveal.hidden = state.revealed;
      coded.hidden = !state.revealed;
      code.value = codeOf(header, state.order);
      print.status.textContent = says(state);
      photo.update(state);
      for (const card of cards) card.update(state);
    },
    draw() {
      photo.draw(store.state);
      for (const card of cards) card.draw(store.state);
    },
  };
}

/**
 * All numbers below n, each once.
 * @param {number} n
 */
function isOrderOf(n) {
  return (/** @type {unknown} */ kept) => {
    if (!Array.isArray(kept) || kept.length !== n) return false;
    return [...kept].sort((a, b) => a - b).every((value, at) => value === at);
  };
}

/**
 * What stands for an order: the letters from the best to the worst, and which figure it is of.
 * @param {Pick<BlindHeader, "maps" | "stamp">} header
 * @param {number[]} order
 */
export function codeOf({ maps, stamp }, order) {
  return `${order.map((n) => maps[n].letter).join("")}-${stamp}`;
}

/**
 * What is asked; once it is revealed, how well the order agrees with the contrasts.
 * @param {Pick<BlindHeader, "story" | "counts" | "known" | "pairs" | "maps" | "words">} header
 * @param {Pick<BlindState, "order" | "revealed">} state
 */
export function told({ story, counts, known, pairs, maps, words }, { order, revealed }) {
  if (counts || !revealed) return story;
  const agree = pairs.filter(([a, b]) => order.indexOf(a) < order.indexOf(b)).length;
  const place = 1 + order.findIndex((n) => maps[n].place === 1);
  return fill(words.told, { ...known, agree, place });
}

/**
 * What a screen reader says.
 * @param {BlindHeader} header
 * @param {BlindState} state
 */
function spoken({ maps, words }, state) {
  const cell = focused(state);
  const { moved, order } = state;
  if (cell) return fill(words.place, cell) + (showsPinned(state) ? words.pinned : "");
  if (moved === null) return words.idle;
  const place = 1 + order.indexOf(moved);
  return fill(words.moved, { letter: maps[moved].letter, place, count: maps.length });
}

export default startViewer("blind_ranking", CARD_STYLE + STYLE, build);
