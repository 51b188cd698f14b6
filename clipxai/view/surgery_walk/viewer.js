// Which part of CLIP Surgery turns the map over? One map that fades from step to step, its contrast
// as bars, and the block diagram above.
// @ts-check
import { createControls, createMapControls, createTextChips, rove } from "../browser/controls.js";
import { element } from "../browser/element.js";
import { below, isFlag, isShare, patchIn, restored } from "../browser/keep.js";
import { fill } from "../browser/number.js";
import { createMapPanel } from "../browser/panel.js";
import { createPhotoPanel } from "../browser/picture.js";
import { createSmallPrint } from "../browser/small_print.js";
import { createStage } from "../browser/stage.js";
import { startViewer } from "../browser/start.js";
import { clamp, createStore, focused, showsPinned, UNTOUCHED } from "../browser/state.js";
import { BOARD_STYLE, createBoard } from "./board.js";
import { createFade } from "./fade.js";

/** @import { Checks } from "../browser/keep.js" */
/** @import { MapPanel, MapSpec } from "../browser/panel.js" */
/** @import { Text, WalkArrays, WalkHeader, WalkState } from "./types.js" */

const PAUSE = 2200; // milliseconds at each step while it plays
const STYLE = `
.surgery_walk .stage {
  align-items: start;
  grid-template-columns: repeat(2, minmax(0, max(var(--wide), 130px))) minmax(240px, 1fr);
}
.surgery_walk .panel { align-self: start; }
.surgery_walk .photo figcaption span { display: none; }
.above { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 20px; margin-bottom: 6px; }
/* as high at every step, or pictures would jump */
.surgery_walk .story { min-height: 2.6em; }
.above .why {
  display: grid; flex: 1 1 230px; margin: 0; font-size: 14px; line-height: 1.35; max-width: 60ch;
}
.above .why > span { grid-area: 1 / 1; }
.surgery_walk .steps { display: grid; gap: 4px; }
.surgery_walk .step {
  font: inherit; font-size: 15px; text-align: left; color: var(--text); background: transparent;
  border: 1px solid var(--line); border-radius: 5px; min-height: 28px; padding: 1px 8px;
  display: grid; grid-template-columns: 10.5em 1fr 2.6em; gap: 8px; align-items: center;
  cursor: pointer;
}
.surgery_walk .step[aria-pressed="true"] {
  border-color: var(--chosen); box-shadow: inset 0 0 0 1px var(--chosen); font-weight: 600;
}
.surgery_walk .step output { text-align: right; font-variant-numeric: tabular-nums; }
.track { position: relative; height: 14px; border-left: 0; }
.track::before { content: ""; position: absolute; left: 50%; top: -3px; bottom: -3px;
  border-left: 1px solid var(--line); }
.track i { position: absolute; top: 0; bottom: 0; width: 0; }
.track i.plus { left: 50%; background: var(--plus); }
.track i.minus { right: 50%; background: var(--minus); }
.surgery_walk .go { display: flex; gap: 6px; }
.surgery_walk .go button {
  font: inherit; font-size: 15px; color: var(--text); background: transparent; cursor: pointer;
  border: 1px solid var(--line); border-radius: 5px; min-height: 28px; padding: 2px 12px;
}
.surgery_walk .go button[aria-disabled="true"] { opacity: 0.45; cursor: default; }
@media (prefers-reduced-motion: no-preference) { .track i { transition: width 0.5s; } }
@media (forced-colors: active) { .track i { forced-color-adjust: none; background: CanvasText; } }
@container (max-width: 640px) {
  .surgery_walk .stage {
    grid-template-columns: repeat(2, minmax(0, max(var(--wide), 120px))) minmax(220px, 1fr);
  }
  .surgery_walk .step {
    font-size: 13px; min-height: 24px; padding: 0 6px;
    grid-template-columns: 9.6em minmax(16px, 1fr) 2.2em; gap: 4px;
  }
  .above { gap: 2px 12px; margin-bottom: 2px; }
  .surgery_walk .go button { font-size: 13px; min-height: 24px; padding: 0 8px; }
  .above .why { font-size: 12px; max-width: none; }
  .surgery_walk .way { font-size: 13px; white-space: nowrap; }
}
@container (max-width: 540px) {
  .surgery_walk .stage { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .surgery_walk .beside { grid-column: 1 / -1; }
}
@media print { .surgery_walk .go { display: none; } }
`;

/**
 * @param {WalkHeader} header
 * @param {WalkArrays} arrays
 * @param {unknown} view
 */
function build(header, arrays, view) {
  const { alpha, grids, notes, steps, texts, words } = header;
  /** @type {Checks<WalkState>} */
  const checks = {
    alpha: isShare,
    smooth: isFlag,
    pinned: patchIn(grids),
    step: below(steps.length),
    text: below(texts.length),
  };
  /** @type {WalkState} */
  const first = { ...UNTOUCHED, scaling: 0, alpha, smooth: true, step: header.step, text: 0 };
  const store = createStore({ ...first, ...restored(view, checks) }, grids);
  const go = (/** @type {number} */ step) => store.set({ step: clamp(step, steps.length) });
  const names = createTextChips(
    texts.map(({ name }) => name),
    (text) => store.set({ text }),
  );
  names.bar.hidden = texts.length < 2;
  const board = createBoard(header);
  const photo = createPhotoPanel(header, store, () => texts[store.state.text].outlines);
  const tables = { viridis: arrays.viridis };
  const map = createMapPanel(header, tables, specOf(header, arrays, store.state), store);
  const fade = createFade(map.node);
  const list = createSteps(header, go);
  const whys = steps.map((step) => element("span", {}, step.why));
  const why = element("p", { className: "why" }, ...whys);
  const player = createPlayer(header, () => store.state.step, go);
  const beside = element("div", { className: "beside" }, list.node);
  const keys = { "[": () => go(store.state.step - 1), "]": () => go(store.state.step + 1) };
  const all = [photo.node, map.node, beside];
  // who has clicked there goes on by keys
  const above = element("div", { className: "above" }, player.node, names.bar);
  above.addEventListener("keydown", ({ key, ctrlKey, altKey, metaKey }) => {
    if ((key === "[" || key === "]") && !metaKey && ctrlKey === altKey) keys[key]();
  });
  const stage = createStage(header.summary, words.keys, store, keys, ...all);
  const print = createSmallPrint(words.help);
  print.write([...notes, ...header.dropped]);
  const says = (/** @type {WalkState} */ state) => statusOf(header, map, state);
  const story = (/** @type {WalkState} */ { step, text }) => texts[text].stories[step];
  return {
    nodes: [
      createControls(...createMapControls(store)),
      above,
      element("div", { className: "above" }, board.node, why),
      stage,
      ...print.nodes,
    ],
    store,
    checks,
    says: (/** @type {WalkState} */ state) => (focused(state) ? says(state) : story(state)),
    story,
    change(/** @type {WalkState} */ now, /** @type {WalkState} */ before) {
      if (now.step === before.step && now.text === before.text) return;
      fade.start();
      map.take(specOf(header, arrays, now));
    },
    paint() {
      const { state } = store;
      print.show(state);
      stage.style.setProperty("--alpha", String(state.alpha));
      names.show(state.text);
      board.show(state.step);
      list.show(texts[state.text], state.step);
      player.show(state.step);
      for (const [n, one] of whys.entries()) {
        one.style.visibility = n === state.step ? "" : "hidden";
      }
      print.status.textContent = says(state);
      photo.update(state);
      map.update(state);
    },
    draw() {
      fade.stop();
      board.follow();
      photo.draw(store.state);
      map.draw(store.state);
    },
  };
}

/**
 * The steps, each with its contrast once it was reached.
 * @param {WalkHeader} header
 * @param {(step: number) => void} go
 */
function createSteps({ steps, words }, go) {
  const rows = steps.map(({ name }, step) => {
    const bar = element("i");
    const value = element("output");
    const track = element("span", { className: "track", "aria-hidden": "true" }, bar);
    const properties = { type: /** @type {const} */ ("button"), className: "step" };
    const onclick = () => go(step);
    const button = element("button", { ...properties, onclick }, `${step + 1}  ${name}`);
    button.append(track, value);
    return { button, bar, track, value };
  });
  const buttons = rows.map(({ button }) => button);
  const named = { role: "toolbar", "aria-label": words.steps, "aria-orientation": "vertical" };
  const node = element("div", { className: "steps", ...named }, ...buttons);
  rove(node, buttons);
  return {
    node,
    /** @param {Text} text @param {number} step */
    show({ contrasts, written }, step) {
      const reach = Math.max(0.01, ...contrasts.map((contrast) => Math.abs(contrast ?? 0)));
      for (const [n, { button, bar, track, value }] of rows.entries()) {
        const contrast = n <= step ? contrasts[n] : null;
        bar.className = (contrast ?? 0) < 0 ? "minus" : "plus";
        bar.style.width = `${(50 * Math.abs(contrast ?? 0)) / reach}%`;
        track.style.visibility = contrasts.every((one) => one === null) ? "hidden" : "";
        value.textContent = n <= step ? written[n] : "";
        button.setAttribute("aria-pressed", String(n === step));
        button.tabIndex = n === step ? 0 : -1;
      }
    },
  };
}

/**
 * Previous, play and next. Playing ends at the last step, or when something else chooses one.
 * @param {WalkHeader} header
 * @param {() => number} now the step that is asked for, which may not be painted yet
 * @param {(step: number) => void} go
 */
function createPlayer({ steps, words }, now, go) {
  let wanted = -1; // the step that playing has asked for
  let timer = 0;
  const last = steps.length - 1;
  const button = (/** @type {string} */ sign, /** @type {string} */ name) =>
    element("button", { type: "button", title: name, "aria-label": name }, sign);
  const [previous, next] = [button("◀", words.previous), button("▶", words.next)];
  const play = element("button", { type: "button", className: "play" }, words.play);
  const stop = () => {
    clearTimeout(timer);
    timer = 0;
    play.textContent = words.play;
  };
  const advance = (/** @type {number} */ step) => {
    if (!play.isConnected) return stop(); // the figure is gone
    wanted = step;
    go(step);
    if (step === last) stop();
    else timer = window.setTimeout(() => advance(step + 1), PAUSE);
  };
  previous.onclick = () => go(now() - 1);
  next.onclick = () => go(now() + 1);
  play.onclick = () => {
    if (timer) return stop();
    play.textContent = words.stop;
    advance(now() === last ? 0 : now() + 1);
  };
  return {
    node: element("div", { className: "go" }, previous, play, next),
    /** @param {number} step */
    show(step) {
      if (timer && step !== wanted) stop();
      previous.setAttribute("aria-disabled", String(step === 0)); // disabled would lose the focus
      next.setAttribute("aria-disabled", String(step === last));
    },
  };
}

/**
 * The map of a text at a step.
 * @param {Pick<WalkHeader, "steps" | "texts">} header
 * @param {WalkArrays} arrays
 * @param {{step: number, text: number}} state
 * @returns {MapSpec}
 */
function specOf({ steps, texts }, arrays, { step, text }) {
  const { outlines, remarks, scales, verdicts } = texts[text];
  const values = arrays[`map${text}`];
  const size = values.length / steps.length;
  return {
    title: steps[step].name,
    subtitle: "",
    source: 0,
    values: values.subarray(step * size, (step + 1) * size),
    scales: [scales[step]],
    verdict: verdicts[step],
    remark: remarks[step],
    outlines,
  };
}

/**
 * What the map has at the patch in view.
 * @param {WalkHeader} header
 * @param {MapPanel} map
 * @param {WalkState} state
 */
function statusOf({ words }, map, state) {
  const cell = focused(state);
  if (!cell) return "\u00a0";
  return `${fill(words.place, cell)}${showsPinned(state) ? words.pinned : ""}: ${map.read(cell)}`;
}

export default startViewer("surgery_walk", STYLE + BOARD_STYLE, build);
