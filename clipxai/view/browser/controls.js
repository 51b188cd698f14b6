// What do the viewers that look inside have in common? Their life in a page, their controls, the focusable stage, and plain tables.
// @ts-check
import { unpackLater } from "./decode.js";
import { keep } from "./keep.js";
import { createShell, element, failed } from "./shell.js";
import { saveSnapshot } from "./snapshot.js";
import { keyAction } from "./state.js";

/**
 * The life of a viewer: `build` draws the payload of a model, again whenever a new one arrives, and returns how to stop.
 * @param {(model: any, el: HTMLElement) => () => void} build
 */
export function viewerOf(build) {
  return {
    /** @param {{model: any, el: HTMLElement}} context @returns {() => void} */
    render({ model, el }) {
      let close = build(model, el);
      const again = () => {
        close();
        close = build(model, el);
      };
      model.on("change:payload", again);
      return () => {
        model.off("change:payload", again);
        close();
      };
    },
  };
}

/**
 * The same for data that travel deflated: `build` gets the arrays once they are inflated; until then what was there before stays.
 * @param {(model: any, el: HTMLElement, arrays: Record<string, any>) => () => void} build
 */
export function viewerLaterOf(build) {
  return viewerOf((model, el) => {
    let wanted = true; // data that took longer than their successor are not drawn
    let close = () => {};
    const draw = (/** @type {Record<string, any>} */ arrays) =>
      wanted && (close = build(model, el, arrays));
    unpackLater(model.get("payload"))
      .then(draw)
      .catch((error) => wanted && failed(el, error));
    return () => {
      wanted = false;
      close();
    };
  });
}

/**
 * Put a figure on the page and keep it up to date: what changes in the store is drawn, told and kept. Returns how to stop.
 * @param {any} model @param {HTMLElement} el
 * @param {{name: string, css: string, nodes: any[], store: any, checks: import("./keep.js").Checks, rebuild: () => void, draw: () => void,
 *   paint: () => void, change: (now: any, before: any) => void, says: (state: any) => string}} figure
 *   `rebuild` makes what depends on the data, `change` what a new state needs beyond `paint`, which draws it once per frame; `draw` does
 *   what only time or size can spoil; `says` is for screen readers
 * @returns {() => void}
 */
export function bringToLife(
  model,
  el,
  { name, css, nodes, store, checks, rebuild, draw, paint, change, says },
) {
  const shell = createShell(el, model.get("css"), draw);
  shell.root.classList.add(name);
  shell.root.append(createStyle(css), ...nodes);
  const frame = createFrame(paint);
  store.subscribe((/** @type {any} */ now, /** @type {any} */ before) => {
    change(now, before);
    const line = says(now);
    if (line !== said) shell.speak(line);
    said = line;
    keep(model, now, before, checks);
    frame.ask();
  });
  rebuild();
  paint();
  let said = says(store.state);
  return () => {
    frame.cancel();
    shell.close();
  };
}

/** One drawing per frame, however often it is asked for. @param {() => void} draw */
export function createFrame(draw) {
  let drawing = 0;
  return {
    ask() {
      cancelAnimationFrame(drawing);
      drawing = requestAnimationFrame(draw);
    },
    cancel: () => cancelAnimationFrame(drawing),
  };
}

/** A choice of one. @param {string} label @param {string[]} names @param {number} at @param {(n: number) => void} choose */
export function createSelect(label, names, at, choose) {
  const select = element(
    "select",
    { onchange: () => choose(select.selectedIndex) },
    ...names.map((name) => element("option", {}, name)),
  );
  select.selectedIndex = at;
  return element("label", {}, `${label} `, select);
}

/** A choice of yes or no. @param {string} label @param {boolean} on @param {(on: boolean) => void} choose @param {object} [more] */
export function createSwitch(label, on, choose, more = {}) {
  const box = element("input", {
    type: "checkbox",
    checked: on,
    onchange: () => choose(box.checked),
    ...more,
  });
  return element("label", {}, box, ` ${label}`);
}

/** Opacity and smoothness, and what every viewer has. @param {any} store */
export function createMapControls(store) {
  const set = (/** @type {object} */ values) => store.dispatch({ type: "set", values });
  const slide = { type: "range", min: "0", max: "100", value: String(100 * store.state.alpha) };
  const alpha = element("input", {
    ...slide,
    oninput: () => set({ alpha: alpha.valueAsNumber / 100 }),
  });
  return [
    element("label", {}, "map opacity ", alpha),
    createSwitch("smooth", store.state.smooth, (smooth) => set({ smooth })),
    ...createHelpControls(store),
  ];
}

/** A picture to take home, and help. @param {any} store */
export function createHelpControls(store) {
  const pictures = ["png", "svg"].map((kind) =>
    element(
      "button",
      {
        type: "button",
        className: "save",
        title: "save what is seen as a picture",
        onclick: (/** @type {MouseEvent} */ event) =>
          saveSnapshot(/** @type {any} */ (event.target).closest(".figure"), kind),
      },
      kind.toUpperCase(),
    ),
  );
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
  return [element("span", {}, "save as ", ...pictures), question];
}

/**
 * The part of a figure that takes the keys: `own` maps a key to what it does, all others mean what they mean in every viewer.
 * @param {string} summary @param {string} keys what they do, for screen readers @param {any} store @param {Record<string, () => void>} own
 * @param {any[]} children
 */
export function createStage(summary, keys, store, own, ...children) {
  const focusable = { tabIndex: 0, role: "application", "data-lm-suppress-shortcuts": "true" };
  const stage = element("div", { className: "stage", ...focusable }, ...children);
  nameStage(stage, summary, keys);
  stage.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    const typed = event.altKey && /^[[\]]$/.test(event.key); // some keyboards have brackets behind AltGr, which is Ctrl and Alt
    if (event.metaKey || (!typed && (event.ctrlKey || event.altKey))) return;
    const mine = Object.hasOwn(own, event.key) ? own[event.key] : null;
    const action = keyAction(event.key);
    if (!mine && !action) return;
    const inside = event.target !== stage && event.key !== "Escape" && event.key !== "?";
    if (inside && !mine) return; // a button inside keeps Space and the arrows
    event.preventDefault();
    if (mine) mine();
    else store.dispatch(action);
  });
  return stage;
}

/** What a figure shows. @param {HTMLElement} stage @param {string} summary @param {string} keys */
export function nameStage(stage, summary, keys) {
  stage.setAttribute("aria-label", `${summary}. ${keys}`);
  stage.dataset.summary = summary;
}

/** @param {string} title @param {string[]} head @param {(string | number)[][]} rows */
export function createPlainTable(title, head, rows) {
  const names = head.map((name) => element("th", { scope: "col" }, name));
  const lines = rows.map((row) =>
    element("tr", {}, ...row.map((value) => element("td", {}, String(value)))),
  );
  return element(
    "div",
    { className: "scroll" },
    element(
      "table",
      {},
      element("caption", {}, title),
      element("thead", {}, element("tr", {}, ...names)),
      element("tbody", {}, ...lines),
    ),
  );
}

/** A table that is made when somebody opens it. @param {string} summary @param {() => any} make */
export function createTableDetails(summary, make) {
  const details = element("details", {}, element("summary", {}, summary));
  const show = () => details.open && details.replaceChildren(details.firstChild, make());
  details.addEventListener("toggle", show);
  return { details, show };
}

/** A style sheet of a viewer's own, beside the one all viewers share. @param {string} css */
export function createStyle(css) {
  return element("style", { textContent: css });
}
