// What if it were not there? Heads, attentions, FFNs, patches and words, each a button that is
// pressed to silence it.
// @ts-check
import { element } from "../view/browser/element.js";
import { fill } from "../view/browser/number.js";

/**
 * @typedef {object} Parts  what can be silenced
 * @property {number} layers
 * @property {number} heads of each layer
 * @property {[number, number]} grid patches down and across
 * @property {string} picture data URL
 * @property {string[][]} words of each text
 * @typedef {{heads?: number[][], attention?: number[], ffns?: number[], patches?: number[],
 *   words?: number[][]}} Off  what is silent
 * @typedef {{parts: Parts, off: Off, words: Record<string, string>}} Values
 * @typedef {object} Model
 * @property {<Name extends keyof Values>(name: Name) => Values[Name]} get
 * @property {(name: "off", value: Off) => void} set
 * @property {(event: string, notify: () => void) => void} on
 * @property {(event: string, notify: () => void) => void} off
 * @property {() => void} save_changes
 * @typedef {{node: HTMLElement, kind: keyof Off, value: number | number[]}} Switch
 */
const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

/** @param {{model: Model, el: HTMLElement}} context */
function render({ model, el }) {
  const words = model.get("words");
  const root = element("div", { className: "clipxai-silencer" });
  root.dataset.lmSuppressShortcuts = "true";
  /** @type {Switch[]} */
  let switches = [];
  const silent = (/** @type {Switch} */ { kind, value }) => hasPart(model.get("off"), kind, value);
  const show = () => {
    for (const one of switches) one.node.setAttribute("aria-pressed", String(silent(one)));
  };
  const turn = (/** @type {Switch[]} */ some, /** @type {boolean} */ silence) => {
    let off = model.get("off");
    for (const one of some) {
      if (hasPart(off, one.kind, one.value) !== silence) off = flipped(off, one.kind, one.value);
    }
    model.set("off", off);
    model.save_changes();
    show();
  };
  /** @param {keyof Off} kind @param {number | number[]} value @param {string} name */
  const createSwitch = (kind, value, name, label = "") => {
    const node = element("button", { title: name, textContent: label });
    node.dataset.kind = kind;
    node.setAttribute("aria-label", name);
    const made = { node, kind, value };
    switches.push(made);
    if (kind !== "patches") node.addEventListener("click", () => turn([made], !silent(made)));
    return node;
  };
  const rebuild = () => {
    switches = [];
    const parts = model.get("parts");
    const pane = createPatches(words, parts, createSwitch);
    paintWith(pane, () => switches, silent, turn);
    const tower = createTower(words, parts, createSwitch);
    root.replaceChildren(tower, pane, createWords(words, parts, createSwitch));
    show();
  };
  model.on("change:parts", rebuild);
  model.on("change:off", show);
  rebuild();
  el.append(root);
  return () => {
    model.off("change:parts", rebuild);
    model.off("change:off", show);
  };
}

/** @param {Off} off @param {keyof Off} kind @param {number | number[]} value */
function hasPart(off, kind, value) {
  return (off[kind] ?? []).some((one) => String(one) === String(value));
}

/**
 * @param {Off} off
 * @param {keyof Off} kind
 * @param {number | number[]} value
 * @returns {Off}
 */
function flipped(off, kind, value) {
  /** @type {(number | number[])[]} */
  const before = off[kind] ?? [];
  const rest = before.filter((one) => String(one) !== String(value));
  return { ...off, [kind]: rest.length < before.length ? rest : [...rest, value] };
}

/** @typedef {(kind: keyof Off, value: number | number[], name: string, label?: string) =>
 *   HTMLElement} Make */

/**
 * A column for each layer; its heads, and below them what silences all of them, and the FFN.
 * @param {Record<string, string>} words
 * @param {Parts} parts
 * @param {Make} make
 */
function createTower(words, { layers, heads }, make) {
  /** @type {(number | "attention" | "ffns")[]} */
  const rows = [...Array(heads).keys(), "attention", "ffns"];
  const cells = rows.flatMap((row) => {
    const head = typeof row === "number";
    const name = head ? words.head : words[row];
    const label = element("span", { textContent: head ? `${words.head_row} ${row}` : name });
    const buttons = Array.from({ length: layers }, (_, layer) => {
      const said = fill(words.of_layer, { part: head ? `${name} ${row}` : name, layer });
      return head ? make("heads", [layer, row], said) : make(row, layer, said);
    });
    return [label, ...buttons];
  });
  const numbers = Array.from({ length: layers }, (_, n) => element("span", {}, String(n)));
  const top = [element("span", { textContent: words.layer }), ...numbers];
  const node = element("div", { className: "tower", role: "group" }, ...top, ...cells);
  node.setAttribute("aria-label", words.tower);
  node.style.gridTemplateColumns = `auto repeat(${layers}, 24px)`;
  moveFocus(node, layers);
  return node;
}

/**
 * @param {Record<string, string>} words
 * @param {Parts} parts
 * @param {Make} make
 */
function createPatches(words, { grid: [down, across], picture }, make) {
  const cells = Array.from({ length: down * across }, (_, n) => {
    const place = { row: Math.floor(n / across), column: n % across };
    return make("patches", n, fill(words.patch, place));
  });
  const node = element("div", { className: "patches", role: "group" }, ...cells);
  node.setAttribute("aria-label", words.patches);
  node.style.gridTemplateColumns = `repeat(${across}, 1fr)`;
  node.style.aspectRatio = `${across} / ${down}`;
  node.style.backgroundImage = `url("${picture}")`;
  moveFocus(node, across);
  return node;
}

/**
 * @param {Record<string, string>} words
 * @param {Parts} parts
 * @param {Make} make
 */
function createWords(words, parts, make) {
  const lines = parts.words.map((line, text) => {
    const chips = line.map((word, n) =>
      make("words", [text, n], fill(words.word, { word, text: text + 1 }), word),
    );
    return element("p", {}, ...chips);
  });
  const node = element("div", { className: "words", role: "group" }, ...lines);
  node.setAttribute("aria-label", words.words);
  return node;
}

/**
 * Patches are painted over: all become what the first one became.
 * @param {HTMLElement} pane
 * @param {() => Switch[]} all
 * @param {(one: Switch) => boolean} silent
 * @param {(some: Switch[], silence: boolean) => void} turn
 */
function paintWith(pane, all, silent, turn) {
  const at = (/** @type {EventTarget | null} */ node) => all().find((one) => one.node === node);
  pane.addEventListener("pointerdown", (event) => {
    const first = at(event.target);
    if (!first) return;
    event.preventDefault();
    const silence = !silent(first);
    const some = new Set([first]);
    first.node.setAttribute("aria-pressed", String(silence));
    const move = (/** @type {PointerEvent} */ { clientX, clientY }) => {
      const found = at(document.elementFromPoint(clientX, clientY));
      if (!found || found.kind !== "patches") return;
      some.add(found);
      found.node.setAttribute("aria-pressed", String(silence));
    };
    const end = () => {
      document.removeEventListener("pointermove", move);
      turn([...some], silence);
    };
    document.addEventListener("pointermove", move);
    document.addEventListener("pointerup", end, { once: true });
  });
  pane.addEventListener("keydown", (event) => {
    const found = at(event.target);
    if (!found || (event.key !== " " && event.key !== "Enter")) return;
    event.preventDefault();
    turn([found], !silent(found));
  });
}

/**
 * Arrow keys go from button to button; Tab enters and leaves all of them.
 * @param {HTMLElement} group
 * @param {number} across buttons of a row
 */
function moveFocus(group, across) {
  const buttons = [...group.querySelectorAll("button")];
  buttons.forEach((button, n) => (button.tabIndex = n ? -1 : 0));
  group.addEventListener("keydown", (event) => {
    const at = buttons.findIndex((button) => button === event.target);
    if (at < 0 || !(event.key in STEPS)) return;
    const [down, right] = STEPS[/** @type {keyof STEPS} */ (event.key)];
    const column = (at % across) + right;
    const next = buttons[at + down * across + right];
    event.preventDefault();
    if (!next || column < 0 || column >= across) return;
    buttons[at].tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });
}

export default { render };
