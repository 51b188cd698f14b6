// How does every viewer start? `startViewer` hosts what a viewer builds from its data: draws it
// once per frame, keeps the reader's choices, speaks to screen readers, and takes new data when
// they come.
// @ts-check
import { isShareable, linkTo, offerLink } from "./address.js";
import { createSelect } from "./controls.js";
import { unpack, unpackLater } from "./decode.js";
import { element } from "./element.js";
import { keep } from "./keep.js";
import { takeLinks } from "./links.js";
import { chosenPalette, choosePalette, PALETTES, paletteTable, watchPalette } from "./palettes.js";
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
 * @property {(now: S, before: S) => boolean} [reflows] whether a new state leaves the pictures more
 *   room, or less
 * @property {(state: S) => string} [story] what is to be seen, in a sentence above all
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
  return hosting((model, el, header, arrays, again) => {
    const figure = build(
      /** @type {H} */ (header),
      /** @type {A} */ (/** @type {unknown} */ (arrays)),
      model.get("view"),
    );
    return bringToLife(model, el, room, css, figure, "viridis" in arrays, again);
  });
}

/**
 * The life of a figure in a page: begun with a payload, and again whenever a new one arrives that
 * what is there cannot take. Data that travel deflated are awaited; until then what was there
 * stays.
 * @template H, A
 * @param {(model: Model, el: HTMLElement, header: Header, arrays: Arrays, again: () => void) =>
 *   Standing<H, A>} begin its last argument begins once more, with the view that is kept
 * @returns {Widget}
 */
export function hosting(begin) {
  return {
    render({ model, el }) {
      /** @type {Standing<H, A> | null} */
      let figure = null;
      /** @type {[Header, Arrays] | null} */
      let last = null;
      /** @param {Header} header @param {Arrays} arrays */
      const show = (header, arrays) => {
        last = [header, arrays];
        const coloured = inChosenColours(arrays);
        const given = /** @type {[H, A]} */ (/** @type {unknown} */ ([header, coloured]));
        if (figure?.take?.(...given)) return;
        figure?.close();
        figure = begin(model, el, header, coloured, again);
      };
      const again = () => {
        if (!last) return;
        figure?.close();
        figure = begin(model, el, last[0], inChosenColours(last[1]), again);
      };
      const stopWatching = watchPalette(() => last?.[1].viridis && again());
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
        stopWatching();
        model.off("change:payload", next);
        figure?.close();
      };
    },
  };
}

/**
 * @param {Arrays} arrays
 * @returns {Arrays}
 */
function inChosenColours(arrays) {
  const { viridis } = arrays;
  if (!viridis) return arrays;
  return { ...arrays, viridis: paletteTable(chosenPalette(), /** @type {Uint8Array} */ (viridis)) };
}

/**
 * The choice of colours among the options of a figure that has a use for it.
 * @param {HTMLElement} root
 */
function offerPalettes(root) {
  const at = PALETTES.indexOf(chosenPalette());
  const select = createSelect("palette", PALETTES, at, (n) => choosePalette(PALETTES[n]));
  root.querySelector(".options > span:last-child")?.before(select);
}

/**
 * Put a figure on the page and keep it up to date: what changes in the store is drawn, told and
 * kept.
 * @template H, A
 * @template {State} S
 * @param {Model} model
 * @param {HTMLElement} el
 * @param {string} room
 * @param {string} css
 * @param {Figure<H, A, S>} figure
 * @param {boolean} recoloured whether its reader may choose its colours
 * @param {() => void} again
 * @returns {Standing<H, A>}
 */
function bringToLife(model, el, room, css, figure, recoloured, again) {
  const { store, paint } = figure;
  const shell = createShell(el, model.get("css"), () => figure.draw?.());
  shell.root.classList.add(room);
  const isFold = (/** @type {Node} */ node) => node instanceof HTMLDetailsElement;
  const folds = element("div", { className: "folds" }, ...figure.nodes.filter(isFold));
  const story = element("p", { className: "story", hidden: !figure.story });
  const others = figure.nodes.filter((node) => !isFold(node));
  shell.root.append(element("style", { textContent: css }), ...others, folds);
  shell.root.querySelector(".controls")?.after(story);
  const tell = () => (story.textContent = figure.story?.(store.state) ?? "");
  if (recoloured) offerPalettes(shell.root);
  if (model.get("linked") && isShareable(location.href)) {
    offerLink(shell.root, () => linkTo(location.href, model.get("view")), shell.speak);
  }
  let frame = 0;
  figure.rebuild?.();
  tell();
  paint();
  shell.begin();
  const stopLinks = takeLinks(el, figure.checks, (values) => {
    store.set(values);
    again(); // its controls show what is set
  });
  let said = figure.says(store.state);
  let refits = false;
  const show = () => {
    paint();
    if (refits) shell.fit();
    refits = false;
  };
  store.subscribe((now, before) => {
    figure.change?.(now, before);
    refits ||= figure.reflows?.(now, before) ?? false;
    tell();
    const line = figure.says(now);
    if (line !== said) shell.speak(line);
    said = line;
    keep(model, now, before, figure.checks);
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(show);
  });
  return {
    /** @type {NonNullable<typeof figure.take>} */
    take(header, arrays) {
      const taken = figure.take?.(header, arrays) ?? false;
      if (taken) tell();
      return taken;
    },
    close() {
      cancelAnimationFrame(frame);
      stopLinks();
      shell.close();
    },
  };
}
