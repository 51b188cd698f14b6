// How does one map become the next? It fades: both are painted, the new one more and more.
// @ts-check
import { context2d } from "../browser/draw.js";
import { element } from "../browser/element.js";

const LASTS = 500; // milliseconds

/**
 * What fades the map of a panel into whatever is painted on it next.
 * @param {HTMLElement} panel
 */
export function createFade(panel) {
  const map = /** @type {HTMLCanvasElement} */ (panel.querySelector("canvas.map"));
  const old = element("canvas");
  const shown = element("canvas", { className: "layer map", hidden: true });
  map.after(shown);
  let frame = 0;
  const stop = () => {
    cancelAnimationFrame(frame);
    shown.hidden = true;
    map.style.visibility = "";
  };
  return {
    stop,
    /** To be called before another map is painted. */
    start() {
      stop();
      if (matchMedia("(prefers-reduced-motion: reduce)").matches || !map.width) return;
      for (const canvas of [old, shown]) {
        Object.assign(canvas, { width: map.width, height: map.height });
      }
      context2d(old).drawImage(map, 0, 0);
      const began = performance.now();
      const context = context2d(shown);
      const step = () => {
        const part = Math.min(1, (performance.now() - began) / LASTS);
        if (part === 1) return stop();
        context.globalAlpha = 1;
        context.drawImage(old, 0, 0);
        context.globalAlpha = part;
        context.drawImage(map, 0, 0);
        frame = requestAnimationFrame(step);
      };
      shown.hidden = false;
      map.style.visibility = "hidden";
      step();
    },
  };
}
