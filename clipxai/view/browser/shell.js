// What surrounds every viewer: a shadow root with its style and theme, a line for screen readers,
// and redrawing when it is seen again.
// @ts-check
import { element } from "./element.js";
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
  const root = element("div", { className: "figure" });
  shadow.replaceChildren(element("style", { textContent: css }), root, live);
  const stopTheme = watchTheme((dark) => (root.dataset.theme = dark ? "dark" : "light"));
  const seen = new IntersectionObserver((entries) => {
    if (entries.some((entry) => entry.isIntersecting)) redraw();
  });
  const resized = new ResizeObserver(redraw);
  const returned = () => {
    if (document.visibilityState === "visible") redraw();
  };
  seen.observe(root);
  resized.observe(root);
  document.addEventListener("visibilitychange", returned);
  let timer = 0;
  return {
    root,
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
