// What can be chosen above a figure? Selects, switches, chips, and what every viewer has.
// @ts-check
import { createLinkButton } from "./address.js";
import { element } from "./element.js";
import { saveSnapshot } from "./snapshot.js";

/** @import { State, Store } from "./state.js" */

/**
 * The controls of a figure, in a row: what is chosen with one click, and behind a button what is
 * set once. A figure that is wide enough shows both.
 * @param {(Node | string)[]} children
 */
export function createControls(...children) {
  const is = (/** @type {string} */ kind) => (/** @type {Node | string} */ child) =>
    child instanceof Element && child.matches(kind);
  const set = children.filter((child) => !is(".chips, .cut, button")(child));
  const options = element("div", { className: "options" }, ...set);
  const onclick = () => {
    const open = node.classList.toggle("open");
    more.setAttribute("aria-expanded", String(open));
  };
  const more = element(
    "button",
    { type: "button", className: "more", onclick, "aria-expanded": "false" },
    "options",
  );
  const [chips, buttons] = [children.filter(is(".chips, .cut")), children.filter(is("button"))];
  const node = element("div", { className: "controls" }, ...chips, more, options, ...buttons);
  return node;
}

/**
 * A choice of one.
 * @param {string} label
 * @param {string[]} names
 * @param {number} at
 * @param {(n: number) => void} choose
 */
export function createSelect(label, names, at, choose) {
  const options = names.map((name) => element("option", {}, name));
  const select = element("select", { onchange: () => choose(select.selectedIndex) }, ...options);
  select.selectedIndex = at;
  return element("label", {}, `${label} `, select);
}

/**
 * A choice of yes or no.
 * @param {string} label
 * @param {boolean} on
 * @param {(on: boolean) => void} choose
 * @param {boolean} [disabled]
 */
export function createSwitch(label, on, choose, disabled = false) {
  const onchange = () => choose(box.checked);
  const box = element("input", { type: "checkbox", checked: on, disabled, onchange });
  return element("label", {}, box, ` ${label}`);
}

/**
 * A share to set, in hundredths.
 * @param {(share: number) => void} choose
 */
export function createSlider(choose) {
  const oninput = () => choose(slider.valueAsNumber / 100);
  const slider = element("input", { type: "range", min: "0", max: "100", oninput });
  return slider;
}

/**
 * Opacity and smoothness, and what every viewer has.
 * @param {Store<State & {alpha: number, smooth: boolean}>} store
 */
export function createMapControls(store) {
  const opacity = createSlider((alpha) => store.set({ alpha }));
  opacity.value = String(100 * store.state.alpha);
  return [
    element("label", {}, "map opacity ", opacity),
    createSwitch("smooth", store.state.smooth, (smooth) => store.set({ smooth })),
    ...createHelpControls(store),
  ];
}

/**
 * A picture to take home, in a page of its own a link to what is shown, and help.
 * @param {Store<State>} store
 */
export function createHelpControls(store) {
  const pictures = /** @type {const} */ (["png", "svg"]).map((kind) => {
    const title = "save what is seen as a picture";
    const properties = { type: /** @type {const} */ ("button"), className: "save", title };
    const button = element("button", properties, kind.toUpperCase());
    button.addEventListener("click", () => {
      const figure = button.closest(".figure");
      if (figure) saveSnapshot(figure, kind);
    });
    return button;
  });
  const question = element(
    "button",
    {
      type: "button",
      className: "question",
      title: "How to use this figure",
      "aria-label": "help",
      onclick: () => store.dispatch({ type: "help" }),
    },
    "?",
  );
  const large = element(
    "button",
    {
      type: "button",
      className: "enlarge",
      title: "Lecture mode: the figure fills the window (key f, Escape leaves)",
      "aria-pressed": "false",
    },
    "lecture",
  );
  const saves = element("span", {}, "save as ", ...pictures, createLinkButton());
  return [saves, large, question];
}

/**
 * Make buttons one stop of the Tab key; arrows, Home and End move inside, in a vertical bar also
 * those up and down.
 * @param {HTMLElement} bar
 * @param {HTMLElement[]} buttons
 */
export function rove(bar, buttons) {
  bar.addEventListener("keydown", (event) => {
    const at = buttons.findIndex((button) => button === event.target);
    const last = buttons.length - 1;
    const [after, before] = [Math.min(at + 1, last), Math.max(at - 1, 0)];
    const vertical = bar.getAttribute("aria-orientation") === "vertical";
    /** @type {Record<string, number>} */
    const places = {
      ArrowRight: after,
      ArrowLeft: before,
      ...(vertical && { ArrowDown: after, ArrowUp: before }),
      Home: 0,
      End: last,
    };
    if (!Object.hasOwn(places, event.key)) return;
    event.preventDefault();
    const next = places[event.key];
    for (const [n, button] of buttons.entries()) button.tabIndex = n === next ? 0 : -1;
    buttons[next].focus();
  });
}

/**
 * A row of buttons of which one is on.
 * @template Value
 * @param {string} label
 * @param {{name: string, value: Value}[]} choices
 * @param {(value: Value) => void} choose
 */
export function createChips(label, choices, choose) {
  const buttons = choices.map(({ name, value }) =>
    element(
      "button",
      { type: "button", className: "chip", title: name, onclick: () => choose(value) },
      name,
    ),
  );
  const named = { role: "toolbar", "aria-label": label };
  const bar = element("div", { className: "chips", ...named }, ...buttons);
  rove(bar, buttons);
  return {
    bar,
    buttons,
    /** @param {Value} value */
    show(value) {
      for (const [n, button] of buttons.entries()) {
        const on = choices[n].value === value;
        button.setAttribute("aria-pressed", String(on));
        button.tabIndex = on ? 0 : -1;
      }
    },
  };
}

/**
 * Chips of texts, by number.
 * @param {string[]} names
 * @param {(text: number) => void} choose
 */
export function createTextChips(names, choose) {
  const choices = names.map((name, value) => ({ name, value }));
  return createChips("text", choices, choose);
}
