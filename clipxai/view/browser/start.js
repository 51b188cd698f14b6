// How does every viewer start? `startViewer` hosts what a viewer builds from its data: draws it
// once per frame, keeps the reader's choices, speaks to screen readers, and takes new data when
// they come.
// @ts-check
import { unpack, unpackLater } from "./decode.js";
import { element } from "./element.js";
import { keep } from "./keep.js";
import { createShell, failed } from "./shell.js";

/** @import { Arrays, Header, Payload } from "./decode.js" */
/** @import { Model, Widget } from "./host.js" */
/** @import { Checks } from "./keep.js" */
/** @import { State, Store } from "./state.js" */
/**
 * @template H, A
 * @typedef {object} Standing  a figure on the page
 * @property {(header: H, arrays: A) => boolean} [take] puts other data into it; false if it cannot
 * @property {() => void} close
 */
/**
 * @template H, A
 * @template {State} S
 * @typedef {object} Figure  what a viewer builds
 * @property {Node[]} nodes from top to bottom
 * @property {Store<S>} store
 * @property {Checks<S>} checks what of the state is kept, and when it fits
 * @property {() => void} [rebuild] makes what depends on the data, once the nodes are on the page
 * @property {(now: S, before: S) => void} [change] what a new state needs at once
 * @property {() => void} paint draws the state; once per frame, however often it changes
 * @property {() => void} [draw] draws also what only time or size can spoil
 * @property {(state: S) => string} says what a screen reader says
 * @property {(header: H, arrays: A) => boolean} [take] puts other data into the figure, if they
 *   have the same layout; what stands on the page stays, which is faster by far
 */

/**
 * A viewer in anywidget's form.
 * @template {Header} H
 * @template A
 * @template {State} S
 * @param {string} room its name, which is the class of its root, too
 * @param {string} css its own style
 * @param {(header: H, arrays: A, view: unknown) => Figure<H, A, S>} build
 * @returns {Widget}
 */
export function startViewer(room, css, build) {
  return hosting((model, el, header, arrays) => {
    const figure = build(
      /** @type {H} */ (header),
      /** @type {A} */ (/** @type {unknown} */ (arrays)),
      model.get("view"),
    );
    return { take: figure.take, close: bringToLife(model, el, room, css, figure) };
  });
}

/**
 * The life of a figure in a page: begun with a payload, and again whenever a new one arrives that
 * what is there cannot take. Data that travel deflated are awaited; until then what was there
 * stays.
 * @template H, A
 * @param {(model: Model, el: HTMLElement, header: Header, arrays: Arrays) => Standing<H, A>} begin
 * @returns {Widget}
 */
export function hosting(begin) {
  return {
    render({ model, el }) {
      /** @type {Standing<H, A> | null} */
      let figure = null;
      /** @param {Header} header @param {Arrays} arrays */
      const show = (header, arrays) => {
        const given = /** @type {[H, A]} */ (/** @type {unknown} */ ([header, arrays]));
        if (figure?.take?.(...given)) return;
        figure?.close();
        figure = begin(model, el, header, arrays);
      };
      /** @type {Payload | null} */
      let wanted = null; // data that took longer than their successor are not drawn
      const next = () => {
        const payload = (wanted = model.get("payload"));
        if (!payload.header.deflated) {
          show(payload.header, unpack(payload));
          return;
        }
        unpackLater(payload)
          .then((arrays) => wanted === payload && show(payload.header, arrays))
          .catch((error) => wanted === payload && failed(el, error));
      };
      model.on("change:payload", next);
      next();
      return () => {
        wanted = null;
        model.off("change:payload", next);
        figure?.close();
      };
    },
  };
}

/**
 * Put a figure on the page and keep it up to date: what changes in the store is drawn, told and
 * kept. Returns how to stop.
 * @template H, A
 * @template {State} S
 * @param {Model} model
 * @param {HTMLElement} el
 * @param {string} room
 * @param {string} css
 * @param {Figure<H, A, S>} figure
 */
function bringToLife(model, el, room, css, figure) {
  const { store, paint } = figure;
  const shell = createShell(el, model.get("css"), () => figure.draw?.());
  shell.root.classList.add(room);
  shell.root.append(element("style", { textContent: css }), ...figure.nodes);
  let frame = 0;
  figure.rebuild?.();
  paint();
  let said = figure.says(store.state);
  store.subscribe((now, before) => {
    figure.change?.(now, before);
    const line = figure.says(now);
    if (line !== said) shell.speak(line);
    said = line;
    keep(model, now, before, figure.checks);
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(paint);
  });
  return () => {
    cancelAnimationFrame(frame);
    shell.close();
  };
}
