// What did every head of every layer add to the cosine, and what if one were silent?
// @ts-check
import { element } from "../../view/browser/element.js";
import { fill } from "../../view/browser/number.js";
import { colourOf, inkOn } from "../../view/browser/sentence.js";

/** @import { Store } from "../../view/browser/state.js" */
/** @import { Heard, PlayArrays, PlayHeader, PlayState } from "./types.js" */

/**
 * @param {PlayHeader} header
 * @param {PlayArrays} arrays
 * @param {Store<PlayState>} store
 */
export function createHeads({ model, words, colours }, arrays, store) {
  const { layers, heads } = model.image;
  const choose = (/** @type {number} */ at) =>
    store.set({ head: store.state.head === at ? null : at, word: null });
  const silence = (/** @type {number} */ at) => {
    const { silenced } = store.state;
    const next = silenced.includes(at) ? silenced.filter((n) => n !== at) : [...silenced, at];
    store.set({ silenced: next.sort((a, b) => a - b) });
  };
  const cells = Array.from({ length: layers * heads }, (_, at) => {
    const cell = element("button", { type: "button", onclick: () => choose(at) });
    cell.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -heads, ArrowRight: heads, ArrowUp: -1, ArrowDown: 1 }[event.key];
      if (event.key === "s") silence(at);
      else if (step !== undefined) cells[at + step]?.focus();
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
    return cell;
  });
  // one stop of the Tab key: within, arrows go on
  const enter = (/** @type {number} */ at) =>
    cells.forEach((c, n) => (c.tabIndex = n === at ? 0 : -1));
  cells.forEach((cell, at) => cell.addEventListener("focus", () => enter(at)));
  enter(0);
  const rows = Array.from({ length: heads }, (_, head) => [
    element("span", { className: "quiet" }, fill(words.head_row, { head })),
    ...Array.from({ length: layers }, (_, layer) => cells[layer * heads + head]),
  ]);
  const ticks = Array.from({ length: layers }, (_, layer) =>
    element("span", { className: "quiet" }, fill(layer ? "{layer}" : words.layer_tick, { layer })),
  );
  const grid = element("div", { className: "headgrid" }, ...rows.flat(), element("span"), ...ticks);
  grid.style.gridTemplateColumns = `auto repeat(${layers}, minmax(0, 1fr))`;
  const said = element("p", { className: "quiet said" });
  const mute = element("button", { type: "button", className: "save" });
  mute.addEventListener("click", () => {
    if (store.state.head !== null) silence(store.state.head);
  });
  const all = element("button", { type: "button", className: "save" }, words.all_heads);
  all.addEventListener("click", () => store.set({ silenced: [] }));
  const buttons = element("div", { className: "row" }, mute, all);
  const title = element("h3", {}, words.heads);
  const node = element("section", { className: "block heads" }, title, grid, said, buttons);
  return {
    node,
    /**
     * @param {PlayState} state
     * @param {Heard | null} heard
     */
    paint(state, heard) {
      const known = heard?.maps?.shares;
      const shares = known ?? new Float32Array(layers * heads);
      const reach = shares.reduce((top, value) => Math.max(top, Math.abs(value)), 0);
      const scale = { low: -reach, high: reach, colours: colours.signed };
      cells.forEach((cell, at) => {
        const colour = colourOf(shares[at], scale, arrays[colours.signed]);
        const silent = state.silenced.includes(at);
        const where = { layer: Math.floor(at / heads), head: at % heads, value: shares[at] };
        cell.textContent = silent ? "×" : known ? shortened(shares[at]) : "";
        const says = silent ? words.silent_cell : known ? words.head_cell : words.unknown_cell;
        const told = fill(says, where);
        cell.title = told;
        cell.setAttribute("aria-pressed", String(state.head === at));
        Object.assign(cell.style, { background: `rgb(${colour})`, color: inkOn(colour) });
      });
      mute.disabled = state.head === null;
      const one = state.head !== null && state.silenced.includes(state.head);
      mute.textContent = one ? words.let_speak : words.silence;
      all.hidden = !state.silenced.length;
      said.textContent = sayHeads(state, heard, words);
    },
  };
}

/**
 * Two decimals and no zero before them: there is little room.
 * @param {number} share
 */
function shortened(share) {
  const digits = Math.abs(share).toFixed(2).slice(1);
  return digits === ".00" ? "0" : `${share < 0 ? "−" : "+"}${digits}`;
}

/**
 * What silencing did to the cosine; how the cosine is made up, where no head is silent.
 * @param {PlayState} state
 * @param {Heard | null} heard
 * @param {Record<string, string>} words
 */
function sayHeads(state, heard, words) {
  const cosine = heard?.cosines[heard.asked.text] ?? null;
  if (!heard?.maps || cosine === null) return "";
  if (!state.silenced.length) {
    const sum = heard.maps.shares.reduce((a, b) => a + b);
    return fill(words.made_up, { sum, rest: cosine - sum, cosine });
  }
  const before = heard.effects?.unsilenced?.[heard.asked.text] ?? null;
  if (before === null) return words.waiting;
  return fill(words.silenced, { count: state.silenced.length, before, cosine });
}
