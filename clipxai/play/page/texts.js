// Which texts are compared, and how well does each fit the picture?
// @ts-check
import { element } from "../../view/browser/element.js";
import { signed } from "../../view/browser/number.js";
import { LONGEST_TEXT, MOST_TEXTS } from "./limits.js";

/** @import { Store } from "../../view/browser/state.js" */
/** @import { Heard, PlayState } from "./types.js" */

const FULL = 0.7; // cosine of a bar that is full

/**
 * @param {Store<PlayState>} store
 * @param {Record<string, string>} words
 */
export function createTexts(store, words) {
  const rows = element("div", { className: "texts", role: "radiogroup" });
  rows.setAttribute("aria-label", words.texts);
  const add = element("button", { type: "button", className: "save" }, words.add_text);
  add.addEventListener("click", () => {
    const { texts } = store.state;
    store.set({ texts: [...texts, ""], text: texts.length, word: null });
    rows
      .querySelectorAll("input[type=text]")
      .item(texts.length)
      ?.dispatchEvent(new Event("wanted"));
  });
  const node = element(
    "section",
    { className: "block texts" },
    element("h3", {}, words.texts),
    rows,
    add,
  );
  /** @type {ReturnType<typeof createRow>[]} */
  let made = [];
  return {
    node,
    /**
     * @param {PlayState} state
     * @param {Heard | null} heard
     */
    paint(state, heard) {
      while (made.length > state.texts.length) made.pop()?.node.remove();
      while (made.length < state.texts.length) {
        made.push(createRow(store, made.length, words));
        rows.append(made[made.length - 1].node);
      }
      add.hidden = state.texts.length >= MOST_TEXTS;
      const known = heard?.cosines.filter((value) => value !== null) ?? [];
      made.forEach((row, n) => {
        const cosine = heard && heard.asked.texts[n] === state.texts[n] ? heard.cosines[n] : null;
        const rank = cosine === null ? 0 : 1 + known.filter((other) => other > cosine).length;
        const error = heard && heard.asked.texts[n] === state.texts[n] ? heard.errors[n] : "";
        row.show(state, cosine, rank, error);
      });
    },
  };
}

/**
 * @param {Store<PlayState>} store
 * @param {number} n
 * @param {Record<string, string>} words
 */
function createRow(store, n, words) {
  const choose = () => {
    if (store.state.text !== n) store.set({ text: n, word: null });
  };
  const radio = element("input", { type: "radio", name: "text", onchange: choose });
  radio.setAttribute("aria-label", words.choose_text);
  const input = element("input", { type: "text", maxLength: LONGEST_TEXT, spellcheck: false });
  input.setAttribute("aria-label", words.text_number.replace("{n}", String(n + 1)));
  input.addEventListener("input", () => {
    const texts = store.state.texts.map((text, i) => (i === n ? input.value : text));
    store.set({ texts, text: n, word: null });
  });
  input.addEventListener("focus", choose);
  input.addEventListener("wanted", () => input.focus());
  const bar = element("span", { className: "fit" }, element("i"));
  const value = element("output", { className: "value" });
  const remove = element("button", { type: "button", className: "save", title: words.remove_text });
  remove.textContent = "×";
  remove.setAttribute("aria-label", words.remove_text);
  remove.addEventListener("click", () => {
    const texts = store.state.texts.filter((_, i) => i !== n);
    const { text } = store.state;
    const next = Math.max(0, text > n || text === texts.length ? text - 1 : text);
    store.set({ texts, text: next, word: null });
  });
  const error = element("span", { className: "error", role: "alert" });
  const node = element("div", { className: "text" }, radio, input, bar, value, remove, error);
  return {
    node,
    /**
     * @param {PlayState} state
     * @param {number | null} cosine
     * @param {number} rank
     * @param {string} why
     */
    show(state, cosine, rank, why) {
      radio.checked = state.text === n;
      node.toggleAttribute("data-chosen", state.text === n);
      if (input.value !== state.texts[n]) input.value = state.texts[n];
      remove.hidden = state.texts.length < 2;
      const share = cosine === null ? 0 : Math.min(Math.max(cosine / FULL, 0), 1);
      /** @type {HTMLElement} */ (bar.firstChild).style.width = `${100 * share}%`;
      value.textContent = cosine === null ? "" : `${signed(cosine)} · ${ordinal(rank)}`;
      error.textContent = why;
    },
  };
}

/**
 * 1st, 2nd … of the few texts that a page has.
 * @param {number} rank
 */
function ordinal(rank) {
  return `${rank}${["st", "nd", "rd"][rank - 1] ?? "th"}`;
}
