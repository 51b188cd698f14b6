// How does the back row read a figure? It fills the window, and all of it grows with the window.
// @ts-check
import { takesLetters } from "./element.js";

const [LECTURE_WIDTH, LECTURE_HEIGHT] = [1140, 640]; // pixels of a figure that fills the window

/**
 * Lecture mode of a figure: the key f or a button, Escape leaves. On a page of its own the key need
 * not be told where it belongs. As a popover it lies above
 * everything, wherever in the page the figure is.
 * @param {HTMLElement} root
 * @param {() => void} changed after it grew or shrank
 */
export function createLecture(root, changed) {
  const on = () => root.classList.contains("lecture");
  const zoom = () => {
    const times = on()
      ? Math.min(window.innerWidth / LECTURE_WIDTH, window.innerHeight / LECTURE_HEIGHT)
      : 1;
    root.style.setProperty("zoom", String(Math.max(1, times)));
    return Math.max(1, times);
  };
  const set = (/** @type {boolean} */ wanted) => {
    if (wanted === on()) return;
    for (const fold of root.querySelectorAll("details[open]")) fold.removeAttribute("open");
    root.classList.toggle("lecture", wanted);
    if (wanted) root.setAttribute("popover", "manual");
    if (wanted) root.showPopover?.();
    else root.removeAttribute("popover"); // which hides it as a popover, and leaves it in its place
    for (const button of root.querySelectorAll(".enlarge")) {
      button.setAttribute("aria-pressed", String(wanted));
    }
    zoom();
    changed();
    // keys go to what fills the window, not to the page behind it
    const stage = /** @type {HTMLElement | null} */ (root.querySelector(".stage"));
    if (wanted && document.activeElement === document.body) stage?.focus({ preventScroll: true });
  };
  const leave = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Escape" || !on()) return;
    event.stopPropagation();
    event.preventDefault();
    set(false);
  };
  const resized = () => on() && (zoom(), changed());
  const toggle = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "f" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (takesLetters(event)) return;
    event.preventDefault();
    set(!on());
  };
  const toggleAlone = (/** @type {KeyboardEvent} */ event) => {
    if (event.target !== document.body || !root.classList.contains("linked")) return;
    if (document.querySelectorAll(".clipxai-figure").length === 1) toggle(event);
  };
  root.addEventListener("keydown", toggle);
  window.addEventListener("keydown", toggleAlone);
  window.addEventListener("keydown", leave, true);
  window.addEventListener("resize", resized);
  return {
    on,
    set,
    /** Height of the window in pixels of the figure. */
    room: () => window.innerHeight / zoom(),
    close() {
      window.removeEventListener("keydown", toggleAlone);
      window.removeEventListener("keydown", leave, true);
      window.removeEventListener("resize", resized);
    },
  };
}
