// What stands around the stage: its background, and what adds, resizes and removes things.
// @ts-check
import { element } from "../../view/browser/element.js";
import { createHeading } from "../../view/browser/picture.js";
import { removeSelected } from "./dragging.js";
import { MOST_THINGS } from "./limits.js";
import { createPicker } from "./picker.js";

/** @import { Store } from "../../view/browser/state.js" */
/** @import { createCanvas } from "./dragging.js" */
/** @import { Sheets } from "./scene.js" */
/** @import { PlayHeader, PlayState, Thing } from "./types.js" */

const [SIDE, GROWN] = [0.38, 1.15];

/**
 * @param {PlayHeader} header
 * @param {Store<PlayState>} store
 * @param {Sheets} sheets
 * @param {ReturnType<typeof createCanvas>} canvas
 */
export function createSceneTools({ words, pictures }, store, sheets, canvas) {
  const picker = createPicker(sheets, words, (name) => {
    const { things } = store.state;
    const thing = { name, ...freePlace(things), side: SIDE };
    store.set({ things: [...things, thing], selected: things.length });
  });
  const button = (
    /** @type {string} */ label,
    /** @type {string} */ title,
    /** @type {() => void} */ act,
  ) => {
    const made = element("button", { type: "button", className: "save", title }, label);
    made.setAttribute("aria-label", title);
    made.addEventListener("click", act);
    return made;
  };
  const add = button(words.add_short, words.add, () => picker.show(!picker.isOpen(), add));
  const larger = button("+", words.larger, () => canvas.resize(GROWN));
  const smaller = button("−", words.smaller, () => canvas.resize(1 / GROWN));
  const remove = button("×", words.remove, () => {
    removeSelected(store);
    canvas.node.focus({ preventScroll: true }); // where the next one is chosen
  });
  const options = pictures.backgrounds.map((name) => element("option", {}, name));
  const background = element("select", { title: words.background }, ...options);
  background.setAttribute("aria-label", words.background);
  background.addEventListener("change", () => store.set({ background: background.value }));
  const row = element("div", { className: "row tools" }, add, smaller, larger, remove, background);
  const said = element("div", { className: "quiet" });
  return {
    around: (/** @type {HTMLCanvasElement} */ node) => {
      const holder = element("div", { className: "holder" }, node, picker.node);
      return [createHeading(words.stage_title, words.stage_subtitle), holder, row, said];
    },
    /** @param {PlayState} state */
    paint({ selected, things, background: chosen }) {
      for (const one of [larger, smaller, remove]) one.disabled = selected === null;
      add.disabled = things.length >= MOST_THINGS;
      background.value = chosen;
      said.textContent =
        selected === null ? words.nothing_selected : (things[selected]?.name ?? "");
    },
  };
}

const LINES = [0.3, 0.7, 0.5, 0.15, 0.85]; // where things are put, best first
const PLACES = LINES.flatMap((y) => LINES.map((x) => ({ x, y })));

/**
 * Where what is added hides least: as far as can be from everything.
 * @param {Thing[]} things
 */
export function freePlace(things) {
  const room = PLACES.map(({ x, y }) =>
    Math.min(1, ...things.map((thing) => Math.hypot(thing.x - x, thing.y - y))),
  );
  return PLACES[room.indexOf(Math.max(...room))];
}
