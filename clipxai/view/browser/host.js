// How does a viewer run in a page without a kernel? Its model is the data in the page, and nobody
// listens at the other end.
// @ts-check
import { linkTo, viewIn } from "./address.js";
import { failed } from "./shell.js";

/** @import { Payload } from "./decode.js" */

const BETWEEN = 200; // milliseconds: browsers stop a page that writes its address all the time
/**
 * @typedef {object} Values  what a viewer is given
 * @property {Payload} payload
 * @property {string} css
 * @property {unknown} view the reader's own choices, as they were kept
 * @property {boolean} [linked] whether the address of the page is the figure's own
 */
/**
 * @typedef {object} Model  the part of a widget model that viewers use
 * @property {<Name extends keyof Values>(name: Name) => Values[Name]} get
 * @property {<Name extends keyof Values>(name: Name, value: Values[Name]) => void} set
 * @property {(event: string, notify: () => void) => void} on
 * @property {(event: string, notify: () => void) => void} off
 * @property {() => void} save_changes
 * @typedef {{render: (context: {model: Model, el: HTMLElement}) => () => void}} Widget
 */

/**
 * A model whose values are these. In a page of its own (`linked`), the view is kept in the address,
 * so that it can be sent.
 * @param {Values} values
 * @returns {Model}
 */
export function staticModel(values) {
  if (values.linked) values.view = viewIn(location.hash) ?? values.view;
  /** @type {Map<string, Set<() => void>>} */
  const listeners = new Map();
  const save = atMostEvery(BETWEEN, () => {
    history.replaceState(null, "", linkTo(location.href, values.view));
  });
  return {
    get: (name) => values[name],
    set(name, value) {
      values[name] = value;
      for (const notify of listeners.get(`change:${name}`) ?? []) notify();
    },
    on(event, notify) {
      listeners.set(event, (listeners.get(event) ?? new Set()).add(notify));
    },
    off: (event, notify) => listeners.get(event)?.delete(notify),
    save_changes: () => values.linked && save(),
  };
}

/**
 * Something done at once, and while it is asked for again and again only so often; the last time
 * always.
 * @param {number} milliseconds
 * @param {() => void} act
 */
export function atMostEvery(milliseconds, act) {
  let [waiting, again] = [false, false];
  const rest = () => {
    waiting = again;
    if (!again) return;
    again = false;
    act();
    setTimeout(rest, milliseconds);
  };
  return () => {
    if (waiting) {
      again = true;
      return;
    }
    waiting = true;
    act();
    setTimeout(rest, milliseconds);
  };
}

/**
 * Bring to life every figure of a kind that no script has claimed yet. The claim is a property, not
 * an attribute: a copy of the page must not inherit it.
 * @param {string} name
 * @param {Widget} viewer
 */
export function claim(name, viewer) {
  for (const figure of document.querySelectorAll(`.clipxai-figure[data-viewer="${name}"]`)) {
    const el = /** @type {HTMLElement & {clipxaiClaimed?: boolean}} */ (figure);
    if (el.clipxaiClaimed) continue;
    el.clipxaiClaimed = true;
    try {
      const values = JSON.parse(el.querySelector("script")?.textContent ?? "");
      viewer.render({ model: staticModel(values), el });
    } catch (error) {
      failed(el, error);
    }
  }
}
