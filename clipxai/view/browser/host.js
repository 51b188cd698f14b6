// How does a viewer run in a page without a kernel? Its model is the data in the page, and nobody listens at the other end.
// @ts-check
import { failed } from "./shell.js";

/**
 * The part of a widget model that viewers use. In a page of its own (`linked`), the view is kept in the address, so that it can be sent.
 * @param {Record<string, any>} values
 */
export function staticModel(values) {
  if (values.linked) values.view = viewIn(location.hash) ?? values.view;
  /** @type {Map<string, Set<() => void>>} */
  const listeners = new Map();
  return {
    get: (/** @type {string} */ name) => values[name],
    set(/** @type {string} */ name, /** @type {any} */ value) {
      values[name] = value;
      for (const notify of listeners.get(`change:${name}`) ?? []) notify();
    },
    on(/** @type {string} */ event, /** @type {() => void} */ notify) {
      listeners.set(event, (listeners.get(event) ?? new Set()).add(notify));
    },
    off: (/** @type {string} */ event, /** @type {() => void} */ notify) =>
      listeners.get(event)?.delete(notify),
    save_changes() {
      if (values.linked)
        history.replaceState(null, "", `#${encodeURIComponent(JSON.stringify(values.view))}`);
    },
  };
}

/** The view that an address holds; null if it holds none. @param {string} hash @returns {object | null} */
export function viewIn(hash) {
  try {
    return JSON.parse(decodeURIComponent(hash.slice(1)));
  } catch {
    return null; // no view, or a broken link: the figure begins as it was saved
  }
}

/**
 * Bring to life every figure of a kind that no script has claimed yet. The claim is a property, not an attribute:
 * a copy of the page must not inherit it.
 * @param {string} name @param {{render: (context: {model: any, el: HTMLElement}) => void}} viewer
 */
export function claim(name, viewer) {
  for (const figure of document.querySelectorAll(`.clipxai-figure[data-viewer="${name}"]`)) {
    const el = /** @type {HTMLElement & {clipxaiClaimed?: boolean}} */ (figure);
    if (el.clipxaiClaimed) continue;
    el.clipxaiClaimed = true;
    try {
      viewer.render({
        model: staticModel(JSON.parse(el.querySelector("script")?.textContent ?? "")),
        el,
      });
    } catch (error) {
      failed(el, error);
    }
  }
}
