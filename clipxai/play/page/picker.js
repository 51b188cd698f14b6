// Which thing comes onto the stage? A grid of pictures that can be searched.
// @ts-check
import { context2d } from "../../view/browser/draw.js";
import { element } from "../../view/browser/element.js";
import { drawSprite } from "./scene.js";

/** @import { Sheets } from "./scene.js" */

const CELL = 44; // pixels of a picture

/**
 * @param {Sheets} sheets
 * @param {Record<string, string>} words
 * @param {(name: string) => void} add
 */
export function createPicker(sheets, words, add) {
  const search = element("input", {
    type: "search",
    placeholder: words.search,
    "aria-label": words.search,
  });
  const grid = element("div", { className: "sprites" });
  const none = element("p", { className: "quiet", hidden: true }, words.nothing_found);
  const close = element("button", {
    type: "button",
    className: "save",
    onclick: () => show(false),
  });
  close.textContent = words.close;
  const head = element("div", { className: "row" }, search, close);
  const node = element("div", { className: "picker", role: "dialog" }, head, grid, none);
  node.setAttribute("aria-label", words.add);
  node.hidden = true;
  /** @type {HTMLButtonElement[]} */
  let buttons = [];
  const make = () => {
    buttons = sheets.pictures.names.map((name) => {
      const canvas = element("canvas", { width: CELL, height: CELL });
      drawSprite(context2d(canvas), sheets, name, [0, 0, CELL]);
      const button = element("button", { type: "button", title: name, "aria-label": name }, canvas);
      button.addEventListener("click", () => {
        add(name);
        show(false);
      });
      return button;
    });
    grid.append(...buttons);
  };
  const filter = () => {
    const wanted = search.value.trim().toLowerCase();
    for (const button of buttons) button.hidden = !button.title.includes(wanted);
    none.hidden = buttons.some((button) => !button.hidden);
  };
  search.addEventListener("input", filter);
  node.addEventListener("keydown", (event) => {
    if (event.key === "Escape") show(false);
    else if (event.key === "Enter" && event.target === search) {
      buttons.find((button) => !button.hidden)?.click();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });
  /** @type {HTMLElement | null} */
  let opener = null;
  /**
   * @param {boolean} open
   * @param {HTMLElement | null} [from] what gets the focus back
   */
  const show = (open, from = null) => {
    if (open && !buttons.length) make();
    node.hidden = !open;
    if (open) {
      opener = from;
      search.value = "";
      filter();
      search.focus();
    } else opener?.focus();
  };
  return { node, show, isOpen: () => !node.hidden };
}
