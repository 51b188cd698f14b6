// How large are the pictures of a figure? As large as the screen allows: the whole figure, with
// what is folded closed, is to be seen at once.
// @ts-check
import { zoomOf } from "./draw.js";

const SHARE_OF_WINDOW = 0.78; // of the window's height: a notebook has bars above and below
// pixels of a figure that is scrolled anyway, as on a phone; beside the file browser, which it
// opens with, JupyterLab leaves 572 of a projector's 1024
const SCROLLED_BELOW = 560;
const [LEAST_TALL, MOST_TALL] = [72, 900]; // pixels of a picture's height
const USUAL_TALL = 440; // where it is scrolled
const FITTING_ROUNDS = 6; // words break anew in wider columns

/**
 * Height that a figure may have. In a frame the window is as high as what is in it, so the screen
 * is asked.
 */
export function roomOf() {
  return (
    SHARE_OF_WINDOW * (window === window.parent ? window.innerHeight : window.screen.availHeight)
  );
}

/**
 * From the top of a figure to the end of what is in it.
 * @param {HTMLElement} root
 */
function heightOf(root) {
  const end = root.lastElementChild?.getBoundingClientRect().bottom ?? 0;
  const inner = end - root.getBoundingClientRect().top + root.scrollTop * zoomOf(root);
  return inner / zoomOf(root) + Number.parseFloat(getComputedStyle(root).paddingBottom);
}

/**
 * Set the height of all pictures, `--tall`, and their width, `--wide`.
 * @param {HTMLElement} root the figure
 * @param {number} room its height in pixels of its own
 */
export function fitPictures(root, room) {
  const pictures = /** @type {HTMLElement[]} */ ([...root.querySelectorAll(".stage .picture")]);
  const shown = pictures.filter((picture) => picture.offsetHeight > 0);
  const width = root.clientWidth;
  if (!width || !shown.length) return;
  const aspect = Number(shown[0].style.getPropertyValue("--aspect")) || 1;
  const set = (/** @type {number} */ tall) => {
    root.style.setProperty("--tall", `${tall}px`);
    root.style.setProperty("--wide", `${Math.round(tall * aspect)}px`);
  };
  if (width < SCROLLED_BELOW) {
    set(USUAL_TALL);
    return;
  }
  if (!root.style.getPropertyValue("--tall")) set(USUAL_TALL);
  const opened = [...root.querySelectorAll("details[open]")];
  for (const fold of opened) fold.removeAttribute("open");
  let [before, last] = [NaN, NaN];
  for (let round = 0; round < FITTING_ROUNDS; round++) {
    const rows = new Set(shown.map((picture) => picture.getBoundingClientRect().top)).size;
    const [tall, high] = [shown[0].offsetHeight, heightOf(root)];
    const grows = (high - last) / (tall - before); // also what goes with the pictures
    const step = (room - high) / (grows > 0.5 ? grows : rows);
    [before, last] = [tall, high];
    set(Math.round(Math.min(Math.max(tall + step, LEAST_TALL), MOST_TALL)));
    if (Math.abs(step) < 1) break;
  }
  // where a wider picture began another row, less is more
  for (let tall = shown[0].offsetHeight; heightOf(root) > room + 1 && tall > LEAST_TALL;) {
    tall = Math.max(LEAST_TALL, tall - 8);
    set(tall);
  }
  for (const fold of opened) fold.setAttribute("open", "");
}
