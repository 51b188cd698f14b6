// What does a CLIP see, while one plays with it? A stage, its maps, and all that can be asked of
// them; the model runs in this page.
// @ts-check
import { createStage } from "../../view/browser/stage.js";
import { startViewer } from "../../view/browser/start.js";
import { createStore, UNTOUCHED } from "../../view/browser/state.js";
import { element } from "../../view/browser/element.js";
import { fill } from "../../view/browser/number.js";
import { restored } from "../../view/browser/keep.js";
import { createModel } from "./asking.js";
import { checksOf } from "./checks.js";
import { createControlsBar } from "./controls.js";
import { createCanvas } from "./dragging.js";
import { factsOf, sentenceFor, worthOf } from "./facts.js";
import { createHeads } from "./heads.js";
import { createMaps, verdictOf } from "./maps.js";
import { decodeSheets } from "./scene.js";
import { createSceneTools } from "./tools.js";
import { createScenes } from "./scenes.js";
import { createSwitches } from "./switches.js";
import { createTexts } from "./texts.js";
import { createThings, createWords } from "./things.js";
import { createWalks } from "./walks.js";

/** @import { Asked } from "../engine/answers.js" */
/** @import { Sheets } from "./scene.js" */
/** @import { Shot } from "./scenes.js" */
/** @import { Chosen, Heard, PlayArrays, PlayHeader, PlayState } from "./types.js" */

/**
 * @param {PlayHeader} header
 * @param {PlayArrays} arrays
 * @param {unknown} view
 */
function build(header, arrays, view) {
  const { words, grids } = header;
  /** @type {PlayState} */
  const first = {
    ...UNTOUCHED,
    ...{ scaling: 0, smooth: true, alpha: header.alpha, selected: null, before: null },
    ...header.first,
  };
  const checks = checksOf(header);
  const store = createStore({ ...first, ...restored(view, checks) }, grids);
  if (store.state.text >= store.state.texts.length) store.set({ text: 0 });
  const node = element("div", { className: "play" }, element("p", {}, words.loading));
  /** @type {ReturnType<typeof createParts> | null} */
  let parts = null;
  decodeSheets(arrays.sprites, arrays.tiles, header.pictures).then(
    (sheets) => {
      parts = createParts(header, arrays, store, sheets);
      node.replaceChildren(...parts.nodes);
      parts.draw();
    },
    (error) => node.replaceChildren(element("p", { role: "alert" }, String(error))),
  );
  return {
    nodes: [node],
    ...{ store, checks },
    paint: () => parts?.paint(),
    draw: () => parts?.draw(),
    says: () => parts?.says() ?? words.loading,
  };
}

/**
 * @param {PlayHeader} header
 * @param {PlayArrays} arrays
 * @param {import("../../view/browser/state.js").Store<PlayState>} store
 * @param {Sheets} sheets
 */
function createParts(header, arrays, store, sheets) {
  const { words, model } = header;
  const { side } = model.image;
  const scenes = createScenes(sheets, side, header.grids[0].height);
  const canvas = createCanvas(sheets, store, words);
  const tools = createSceneTools(header, store, sheets, canvas);
  const maps = createMaps(header, arrays, store);
  const controls = createControlsBar(header, store);
  const walks = createWalks(header, store);
  const texts = createTexts(store, words);
  const headGrid = createHeads(header, arrays, store);
  const things = createThings(store, words);
  const spelled = createWords(store, words);
  const switches = createSwitches(header, store);
  const status = element("p", { className: "status", "aria-live": "off" });
  const scene = element("figure", { className: "panel stagepanel" }, ...tools.around(canvas.node));
  const stage = createStage(words.summary, words.keys, store, {}, scene, ...maps.nodes);
  stage.style.setProperty("--columns", "4");
  const help = element("p", { className: "help", hidden: true }, words.help);
  const blocks = [texts, headGrid, things, spelled, switches].map((part) => part.node);
  const lower = element("div", { className: "lower" }, ...blocks);
  const small = words.small_print.split("\n").map((line) => element("p", {}, line));
  const caption = element("div", { className: "caption" }, ...small);

  /** @type {WeakMap<Asked, {chosen: Chosen, shot: Shot}>} */
  const meant = new WeakMap();
  /** @type {{heard: Heard, shot: Shot} | null} */
  let shown = null;
  let asked = "";
  let failure = "";
  const running = createModel(header.engine, model, arrays.weights, {
    answer(answer, question) {
      const known = meant.get(question);
      if (!known) return;
      shown = { heard: { ...answer, effects: null, asked: known.chosen }, shot: known.shot };
      paint();
    },
    effects(effects, question) {
      if (!shown || meant.get(question)?.chosen !== shown.heard.asked) return;
      shown = { ...shown, heard: { ...shown.heard, effects } };
      paint();
    },
    failed(message) {
      failure = fill(words.failed, { message });
      paint();
    },
  });

  const ask = () => {
    const { things, background, texts, text, change, redundant, silenced } = store.state;
    const chosen = store.state;
    const key = JSON.stringify([things, background, texts, text, change, redundant, silenced]);
    if (key === asked) return;
    asked = key;
    running.ask(() => {
      const shot = scenes.shoot({ things, background });
      const picture = { colours: shot.colours, picture: shot.number };
      const question = { ...picture, silenced, texts, text, change, redundant };
      meant.set(question, { chosen, shot });
      const whatIf = () => ({
        ...{ picture: shot.number, pictures: shot.withoutEach(), whole: shot.colours },
        ...{ silenced, texts },
      });
      return { asked: question, whatIf };
    });
  };
  // what an answer says is found out once, and what stands below is written when it has changed
  const judge = whenNew(() => ({
    worths: shown ? worthOf(shown.heard, shown.shot.covered) : [],
    verdict: verdictOf(shown, header.grids[0], side, header.pictures.names),
  }));
  const paintHeads = whenNew(headGrid.paint);
  const paintThings = whenNew(things.paint);
  const paintSwitches = whenNew(switches.paint);
  let said = "";
  const paint = () => {
    const { state } = store;
    ask();
    const heard = shown?.heard ?? null;
    const { worths, verdict } = judge([shown]);
    const facts = heard ? factsOf(heard, verdict, worths, model, state, words.empty_text) : {};
    canvas.paint(state);
    maps.paint(state, shown, verdict);
    texts.paint(state, heard);
    paintHeads([heard, state.head, state.silenced], state, heard);
    paintThings([worths, state.things, state.selected], state, worths);
    spelled.paint(state, heard);
    paintSwitches([state.change, state.redundant], state);
    tools.paint(state);
    controls.paint(state);
    const way = words[`way:${facts.method}`];
    const known = /** @type {Record<string, string | number>} */ ({ ...facts, way });
    walks.paint(state, facts);
    const alone = heard?.maps?.alone ? ` ${words.alone}` : "";
    const line = heard ? fill(sentenceFor(header.verdicts, facts), known) + alone : words.loading;
    said = failure || heard?.errors[heard.asked.text] || line;
    status.textContent = said;
    help.hidden = !state.help;
  };
  const draw = () => {
    canvas.fit();
    maps.fit();
    paint();
  };
  return {
    nodes: [controls.node, walks.node, help, stage, status, lower, caption],
    ...{ paint, draw },
    says: () => said,
  };
}

/**
 * The same, called again only for other `inputs`; else it answers what it did.
 * @template {unknown[]} Given
 * @template Made
 * @param {(...given: Given) => Made} make
 */
function whenNew(make) {
  /** @type {{inputs: unknown[], made: Made} | null} */
  let last = null;
  return (/** @type {unknown[]} */ inputs, /** @type {Given} */ ...given) => {
    if (!last || inputs.some((one, n) => one !== last?.inputs[n])) {
      last = { inputs, made: make(...given) };
    }
    return last.made;
  };
}

export default startViewer("playground", "", build);
