// Above the stage: what the page is, walks to take, how maps are coloured, and help.
// @ts-check
import { createLinkButton } from "../../view/browser/address.js";
import { element } from "../../view/browser/element.js";
import { entered } from "./walks.js";

/** @import { Store } from "../../view/browser/state.js" */
/** @import { PlayHeader, PlayState } from "./types.js" */

/**
 * @param {PlayHeader} header
 * @param {Store<PlayState>} store
 */
export function createControlsBar({ words, walks }, store) {
  const tours = walks.map((walk) => {
    const button = element("button", { type: "button", className: "chip" }, walk.title);
    button.addEventListener("click", () => store.set(entered(store.state, walk)));
    return { name: walk.name, button };
  });
  const opacity = element("input", { type: "range", min: "0", max: "100" });
  opacity.addEventListener("input", () => store.set({ alpha: opacity.valueAsNumber / 100 }));
  const smooth = element("input", { type: "checkbox" });
  smooth.addEventListener("change", () => store.set({ smooth: smooth.checked }));
  const zero = element("input", { type: "checkbox" });
  zero.addEventListener("change", () => store.set({ scaling: zero.checked ? 1 : 0 }));
  const question = element("button", { type: "button", className: "question" }, "?");
  question.title = words.help_title;
  question.addEventListener("click", () => store.dispatch({ type: "help" }));
  const named = [
    element("label", {}, `${words.opacity} `, opacity),
    element("label", {}, smooth, ` ${words.smooth}`),
    element("label", { title: words.zero_help }, zero, ` ${words.zero}`),
  ];
  const title = element("h2", {}, words.title);
  const tour = element("span", { className: "tours" }, ...tours.map(({ button }) => button));
  return {
    node: element(
      "div",
      { className: "controls" },
      title,
      tour,
      ...named,
      createLinkButton(),
      question,
    ),
    /** @param {PlayState} state */
    paint({ alpha, smooth: on, scaling, walk }) {
      opacity.value = String(Math.round(100 * alpha));
      smooth.checked = on;
      zero.checked = scaling === 1;
      for (const { name, button } of tours) {
        button.setAttribute("aria-pressed", String(walk === name));
      }
    },
  };
}
