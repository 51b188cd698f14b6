// How is one of many things chosen? From a grid of their pictures, which a search makes smaller.
// @ts-check
import { element } from "../view/browser/element.js";

/**
 * @typedef {object} World  what there is to choose from
 * @property {string[]} names
 * @property {string} sheet all pictures in rows, as a data URL
 * @property {number} columns of the sheet
 */
const KEYS = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 0, ArrowUp: 0 };

/**
 * A grid that lies over what is below it while it is open.
 * @param {World} world
 * @param {{search: string, close: string, nothing: string}} words
 * @param {(name: string) => void} pick
 */
export function createPicker(world, words, pick) {
  const search = element("input", { type: "search", placeholder: words.search });
  search.setAttribute("aria-label", words.search);
  const closing = element("button", { textContent: "×", title: words.close });
  closing.setAttribute("aria-label", words.close);
  const cells = world.names.map((name, n) => createCell(world, name, n));
  const nothing = element("p", { textContent: words.nothing, hidden: true });
  const grid = element("div", { className: "grid" }, ...cells, nothing);
  const node = element("div", { className: "picker", hidden: true }, search, closing, grid);
  /** @type {HTMLElement | null} */
  let before = null; // where the focus was
  const found = () => cells.filter((cell) => !cell.hidden);
  const close = () => {
    node.hidden = true;
    before?.focus();
  };
  const choose = (/** @type {HTMLElement | undefined} */ cell) => {
    if (!cell) return;
    close();
    pick(cell.title);
  };
  search.addEventListener("input", () => {
    const wanted = search.value.trim().toLowerCase();
    for (const cell of cells) cell.hidden = !cell.title.toLowerCase().includes(wanted);
    nothing.hidden = found().length > 0;
  });
  closing.addEventListener("click", close);
  grid.addEventListener("click", ({ target }) => {
    if (target instanceof HTMLElement && target !== grid && target !== nothing) choose(target);
  });
  node.addEventListener("keydown", (event) => {
    const visible = found();
    const at = visible.findIndex((cell) => cell === event.target);
    if (event.key === "Escape") close();
    else if (event.key === "Enter" && event.target === search) choose(visible[0]);
    else if (event.key in KEYS && (at >= 0 || event.key === "ArrowDown")) {
      visible[neighbour(visible, at, event.key)]?.focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });
  return {
    node,
    open() {
      before = document.activeElement instanceof HTMLElement ? document.activeElement : null;
      search.value = "";
      for (const cell of cells) cell.hidden = false;
      nothing.hidden = true;
      node.hidden = false;
      search.focus();
    },
  };
}

/**
 * @param {World} world
 * @param {string} name
 * @param {number} n
 */
function createCell({ names, sheet, columns }, name, n) {
  const rows = Math.ceil(names.length / columns);
  const [row, column] = [Math.floor(n / columns), n % columns];
  const cell = element("button", { title: name });
  cell.setAttribute("aria-label", name);
  cell.style.backgroundImage = `url("${sheet}")`;
  cell.style.backgroundSize = `${100 * columns}% ${100 * rows}%`;
  cell.style.backgroundPosition = `${(100 * column) / (columns - 1)}% ${(100 * row) / (rows - 1)}%`;
  return cell;
}

/**
 * Number of the cell beside one, or in the row above or below it.
 * @param {HTMLElement[]} cells
 * @param {number} at -1 for the search above them
 * @param {string} key
 */
function neighbour(cells, at, key) {
  if (at < 0) return 0;
  if (key === "ArrowRight" || key === "ArrowLeft") return at + KEYS[key];
  const { offsetLeft, offsetTop } = cells[at];
  const below = key === "ArrowDown";
  const candidates = below ? cells.slice(at + 1) : cells.slice(0, at).reverse();
  const near = candidates.find(
    (cell) => cell.offsetTop !== offsetTop && Math.abs(cell.offsetLeft - offsetLeft) < 4,
  );
  return near ? cells.indexOf(near) : at;
}
