// How is a map of this figure drawn? Large over the photo, where the pointer follows patches, or
// small, a pixel a patch.
// @ts-check
import { context2d, fitToScreen, frameCell, paintMap, strokeOutline } from "../browser/draw.js";
import { element } from "../browser/element.js";
import { createPicture, pointing } from "../browser/picture.js";
import { focused } from "../browser/state.js";

/** @import { Span } from "../browser/interpolate.js" */
/** @import { Store } from "../browser/state.js" */
/** @import { OverviewArrays, OverviewHeader, OverviewState } from "./types.js" */

/**
 * A map over the photo with a line below it.
 * @param {OverviewHeader} header
 * @param {OverviewArrays} arrays
 * @param {Store<OverviewState>} store
 * @param {string} label
 */
export function createLargeMap(header, arrays, store, label) {
  const map = element("canvas", { className: "layer map" });
  const marks = element("canvas", { className: "layer" });
  const picture = createPicture(header, 0, [map, marks], pointing(store));
  const line = element("span", { className: "line" }, label);
  const node = element("figure", { className: "large" }, picture, line);
  /** @type {[ArrayLike<number>, Span, "viridis" | "RdBu_r"] | null} */
  let last = null;
  /** @param {number} [asked] the patch to mark while none is followed */
  const mark = (asked = -1) => {
    fitOnce(marks);
    context2d(marks).clearRect(0, 0, marks.width, marks.height);
    const { width, image_size } = header.grids[0];
    for (const line of header.outlines[store.state.text]) strokeOutline(marks, line, image_size);
    const other = asked < 0 ? null : { row: Math.floor(asked / width), column: asked % width };
    const cell = focused(store.state) ?? other;
    if (cell) frameCell(marks, header.grids[0], cell);
  };
  const paint = () => {
    map.hidden = !last;
    if (!last) return;
    const [values, span, colours] = last;
    fitOnce(map);
    paintMap(map, values, header.grids[0], { ...span, colours }, arrays[colours], false);
  };
  return {
    node,
    line,
    mark,
    /** All of it again, in another size. */
    draw() {
      fitToScreen(map);
      fitToScreen(marks);
      paint();
      mark();
    },
    /**
     * Other values; null: the photo alone.
     * @param {ArrayLike<number> | null} values
     * @param {Span} span
     * @param {"viridis" | "RdBu_r"} [colours]
     */
    take(values, span, colours = header.sequential) {
      last = values && [values, span, colours];
      picture.classList.toggle("grey", values !== null);
      paint();
    },
  };
}

/**
 * Give a canvas its pixels if it was never seen: to ask for its size takes a layout, and a pointer
 * cannot wait for that.
 * @param {HTMLCanvasElement} canvas
 */
function fitOnce(canvas) {
  if (canvas.dataset.fits && canvas.width > 1) return;
  fitToScreen(canvas);
  canvas.dataset.fits = "true";
}

/**
 * A map of a pixel a patch.
 * @param {OverviewHeader} header
 */
export function createSmallMap({ grids }) {
  const { height, width } = grids[0];
  return element("canvas", { className: "small", height, width });
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {OverviewHeader} header
 * @param {OverviewArrays} arrays
 * @param {ArrayLike<number>} values
 * @param {Span} span
 */
export function paintSmallMap(canvas, { grids, sequential }, arrays, values, span) {
  const { height, width } = grids[0];
  const box = /** @type {[number, number, number, number]} */ ([0, 0, height, width]);
  const size = /** @type {[number, number]} */ ([height, width]);
  const whole = { height, width, box, image_size: size };
  paintMap(canvas, values, whole, { ...span, colours: sequential }, arrays[sequential], false);
}

/**
 * Patches cut out of the photo, once it has loaded.
 * @param {OverviewHeader} header
 * @param {() => void} loaded
 */
export function createCutter({ photo, grids }, loaded) {
  const image = new Image();
  image.addEventListener("load", loaded);
  image.src = photo;
  const { box, height, width, image_size } = grids[0];
  const [top, left, bottom, right] = box;
  return (/** @type {HTMLCanvasElement} */ canvas, /** @type {number} */ patch) => {
    const context = canvas.getContext("2d");
    if (!context) return;
    context.clearRect(0, 0, canvas.width, canvas.height);
    if (patch < 0 || !image.complete || !image.naturalWidth) return;
    const zoom = image.naturalWidth / image_size[1];
    const [down, across] = [((bottom - top) / height) * zoom, ((right - left) / width) * zoom];
    const x = left * zoom + (patch % width) * across;
    const y = top * zoom + Math.floor(patch / width) * down;
    context.drawImage(image, x, y, across, down, 0, 0, canvas.width, canvas.height);
  };
}
