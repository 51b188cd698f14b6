// What surrounds every viewer: a shadow root with its style and theme, a line for screen readers, and redrawing when it is seen again.
// @ts-check
import { watchTheme } from "./theme.js";

const SPEAK_AFTER = 300; // milliseconds: a screen reader cannot follow a moving pointer

/**
 * An element with properties (or attributes, where the name has a dash or is `role`) and children; strings become text, never markup.
 * @param {string} tag @param {Record<string, any>} [properties] @param {(Node | string)[]} children
 * @returns {any}
 */
export function element(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes("-") || name === "role") node.setAttribute(name, value);
    else Object.assign(node, { [name]: value });
  }
  node.append(...children);
  return node;
}

/**
 * @param {HTMLElement} el where the viewer lives @param {string} css @param {() => void} redraw everything, from scratch
 */
export function createShell(el, css, redraw) {
  el.dataset.lmSuppressShortcuts = "true"; // JupyterLab looks at the host: to it, what happens inside a shadow root happened there
  const shadow = el.shadowRoot ?? el.attachShadow({ mode: "open" });
  const live = element("div", { className: "spoken", role: "status", "aria-live": "polite" });
  const root = element("div", { className: "figure" });
  shadow.replaceChildren(element("style", { textContent: css }), root, live);
  const stopTheme = watchTheme((dark) => (root.dataset.theme = dark ? "dark" : "light"));
  const seen = new IntersectionObserver(
    (entries) => entries.some((entry) => entry.isIntersecting) && redraw(),
  );
  const resized = new ResizeObserver(redraw);
  const returned = () => document.visibilityState === "visible" && redraw();
  seen.observe(root);
  resized.observe(root);
  document.addEventListener("visibilitychange", returned);
  let timer = 0;
  return {
    root,
    /** Say a line once the reader has come to rest. @param {string} line */
    speak(line) {
      clearTimeout(timer);
      timer = window.setTimeout(() => (live.textContent = line), SPEAK_AFTER);
    },
    close() {
      clearTimeout(timer);
      stopTheme();
      seen.disconnect();
      resized.disconnect();
      document.removeEventListener("visibilitychange", returned);
    },
  };
}

/** Let the poster show through, and say why in the console. @param {HTMLElement} el @param {unknown} error */
export function failed(el, error) {
  el.shadowRoot?.replaceChildren(element("slot"));
  console.error("clipxai: this figure stays a picture, because its viewer failed:", error);
}

/** Make buttons one stop of the Tab key; arrows, Home and End move inside. @param {HTMLElement} bar @param {HTMLElement[]} buttons */
export function rove(bar, buttons) {
  bar.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    const at = buttons.indexOf(/** @type {any} */ (event.target));
    const last = buttons.length - 1;
    const next = {
      ArrowRight: Math.min(at + 1, last),
      ArrowLeft: Math.max(at - 1, 0),
      Home: 0,
      End: last,
    }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    for (const [n, button] of buttons.entries()) button.tabIndex = n === next ? 0 : -1;
    buttons[next].focus();
  });
}

/** A text for people, who cannot read nothing; the same in lettering.py. @param {string} text @returns {string} */
export const titleOf = (text) => text.trim() || "(empty text)";

/**
 * A row of buttons of which one is on.
 * @param {string} label @param {{name: string, value: any}[]} choices @param {(value: any) => void} choose
 */
export function createChips(label, choices, choose) {
  const buttons = choices.map(({ name, value }) =>
    element(
      "button",
      { type: "button", className: "chip", title: titleOf(name), onclick: () => choose(value) },
      titleOf(name),
    ),
  );
  const bar = element(
    "div",
    { className: "chips", role: "toolbar", "aria-label": label },
    ...buttons,
  );
  rove(bar, buttons);
  return {
    bar,
    /** @param {any} value */
    show(value) {
      for (const [n, button] of buttons.entries()) {
        const on = choices[n].value === value;
        button.setAttribute("aria-pressed", String(on));
        button.tabIndex = on ? 0 : -1;
      }
    },
  };
}
