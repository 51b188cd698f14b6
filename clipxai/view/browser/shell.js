// What surrounds every viewer: a shadow root with its style and theme, a line for screen readers,
// lecture mode, and redrawing when it is seen again or has another size.
// @ts-check
import { element } from "./element.js";
import { fitPictures, roomOf } from "./fit.js";
import { createLecture } from "./lecture.js";
import { watchTheme } from "./theme.js";

const SPEAK_AFTER = 300; // milliseconds: a screen reader cannot follow a moving pointer

/**
 * @param {HTMLElement} el where the viewer lives
 * @param {string} css
 * @param {() => void} redraw everything, from scratch
 */
export function createShell(el, css, redraw) {
  // JupyterLab looks at the host: to it, what happens inside a shadow root happened there
  el.dataset.lmSuppressShortcuts = "true";
  const shadow = el.shadowRoot ?? el.attachShadow({ mode: "open" });
  const live = element("div", { className: "spoken", role: "status", "aria-live": "polite" });
  // the figure that makes way
  const large = shadow.querySelector(".figure.lecture") !== null;
  const open = shadow.querySelector(".controls.open") !== null;
  const root = element("div", { className: "figure" });
  const fit = () => {
    fitPictures(root, lecture.on() ? lecture.room() : roomOf());
    redraw();
  };
  const lecture = createLecture(root, fit);
  root.addEventListener("click", (event) => {
    const button = /** @type {Element} */ (event.target).closest(".enlarge");
    if (button) lecture.set(!lecture.on());
  });
  shadow.replaceChildren(element("style", { textContent: css }), root, live);
  const stopTheme = watchTheme((dark) => (root.dataset.theme = dark ? "dark" : "light"));
  const seen = new IntersectionObserver((entries) => {
    if (entries.some((entry) => entry.isIntersecting)) redraw();
  });
  let size = ""; // which the pictures fit: words and folds that come later do not change them
  const resized = new ResizeObserver(() => {
    const now = `${root.clientWidth} ${window.innerHeight}`;
    if (now === size) redraw();
    else fit();
    size = now;
  });
  const returned = () => {
    if (document.visibilityState === "visible") redraw();
  };
  seen.observe(root);
  resized.observe(root);
  document.addEventListener("visibilitychange", returned);
  window.addEventListener("resize", fit);
  let timer = 0;
  return {
    root,
    /** Once all is in it. */
    begin() {
      if (open) /** @type {HTMLElement | null} */ (root.querySelector(".more"))?.click();
      if (large) lecture.set(true);
      else fit();
    },
    fit,
    /**
     * Say a line once the reader has come to rest.
     * @param {string} line
     */
    speak(line) {
      clearTimeout(timer);
      timer = window.setTimeout(() => (live.textContent = line), SPEAK_AFTER);
    },
    close() {
      clearTimeout(timer);
      lecture.close();
      window.removeEventListener("resize", fit);
      stopTheme();
      seen.disconnect();
      resized.disconnect();
      document.removeEventListener("visibilitychange", returned);
    },
  };
}

/**
 * Let the poster show through, and say why in the console.
 * @param {HTMLElement} el
 * @param {unknown} error
 */
export function failed(el, error) {
  el.shadowRoot?.replaceChildren(element("slot"));
  console.error("clipxai: this figure stays a picture, because its viewer failed:", error);
}
