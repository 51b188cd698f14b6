// How does a reader take home what is on the screen? The figure is read off the page, as it is
// drawn at this moment, into one SVG of pictures, boxes and words; a browser turns that into a PNG.
// Controls and what is folded away stay behind.
// @ts-check
import { context2d, zoomOf } from "./draw.js";
import { element } from "./element.js";

/**
 * @typedef {{svg: string, width: number, height: number, title: string}} Shot
 * @typedef {{x: number, y: number}} Origin
 * @typedef {{x: number, y: number, width: number, height: number}} Box
 * @typedef {(part: string, low?: number) => void} Put  a part of the SVG, and how far down it
 *   reaches
 */

const LEFT_OUT =
  ".controls, .go, .help, details:not([open]), summary, .scroll, style, .pinbar button, [hidden]";
const [HEAD, EDGE] = [34, 12]; // pixels above, for the title, and around
const FINE = 2; // pixels of the PNG for each on the screen
const SHAPE = [
  ...["fill", "stroke", "stroke-width", "stroke-dasharray", "opacity", "visibility"],
  ...["text-anchor", "dominant-baseline", "font-family", "font-size", "font-weight"],
];
const TOO_WIDE = 8.2; // pixels of a letter of the title, more or less

/**
 * A value as XML text.
 * @param {string | number | null} value
 */
export function xml(value) {
  return String(value).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}

/**
 * @param {string} name
 * @param {Record<string, string | number | null>} attributes
 * @param {string} [inner]
 */
function tag(name, attributes, inner = "") {
  const words = Object.entries(attributes).map(([key, value]) => {
    const short = typeof value === "number" ? Number(value.toFixed(2)) : value;
    return ` ${key}="${xml(short)}"`;
  });
  return `<${name}${words.join("")}>${inner}</${name}>`;
}

/**
 * A figure as SVG, with its summary as title.
 * @param {Element} figure
 * @returns {Shot}
 */
export function snapshot(figure) {
  const area = figure.getBoundingClientRect();
  const stage = /** @type {HTMLElement | null} */ (figure.querySelector(".stage"));
  const title = stage?.dataset.summary ?? "";
  const drawn = { parts: /** @type {string[]} */ ([]), low: 0 };
  const controls = figure.querySelector(".controls")?.getBoundingClientRect().bottom ?? area.top;
  const origin = { x: area.left - EDGE, y: controls - HEAD };
  for (const child of figure.children) drawNode(child, origin, drawn);
  const { color, backgroundColor, fontFamily } = getComputedStyle(figure);
  const [width, height] = [Math.ceil(area.width + 2 * EDGE), Math.ceil(drawn.low + EDGE)];
  const ground = tag("rect", { width, height, fill: backgroundColor });
  const font = { "font-family": fontFamily, "font-size": 15, "font-weight": 600 };
  const place = { x: EDGE, y: 22, fill: color, ...font, ...fitting(title, width - 2 * EDGE) };
  const head = tag("text", place, xml(title));
  const viewBox = `0 0 ${width} ${height}`;
  const frame = { xmlns: "http://www.w3.org/2000/svg", width, height, viewBox };
  return { svg: tag("svg", frame, ground + head + drawn.parts.join("")), width, height, title };
}

/**
 * A title that would be too wide is set tighter.
 * @param {string} title
 * @param {number} width
 * @returns {Record<string, string | number>}
 */
function fitting(title, width) {
  const wide = title.length * TOO_WIDE > width;
  return wide ? { textLength: width, lengthAdjust: "spacingAndGlyphs" } : {};
}

/**
 * An element and what is in it, in the order in which they are painted.
 * @param {Element} node
 * @param {Origin} origin
 * @param {{parts: string[], low: number}} drawn
 */
function drawNode(node, origin, drawn) {
  const style = getComputedStyle(node);
  if (node.matches(LEFT_OUT) || style.display === "none" || style.visibility === "hidden") return;
  const { left, top, width, height } = node.getBoundingClientRect();
  const place = { x: left - origin.x, y: top - origin.y, width, height };
  /** @type {Put} */
  const put = (part, low = place.y + height) => {
    drawn.parts.push(part);
    drawn.low = Math.max(drawn.low, low);
  };
  if (node instanceof HTMLCanvasElement || node instanceof HTMLImageElement) {
    if (width && height) put(imageOf(node, style, place));
  } else if (node instanceof SVGSVGElement) {
    const frame = { ...place, viewBox: node.getAttribute("viewBox"), overflow: "visible" };
    put(tag("svg", frame, shapesOf(node)));
  } else {
    drawBox(style, place, put);
    // where the keys go is no part of the picture
    if (!node.matches(":focus-visible")) drawOutline(style, place, put);
    for (const child of node.childNodes) {
      if (child instanceof Element) drawNode(child, origin, drawn);
      else if (child instanceof Text) drawWords(child, style, origin, put);
    }
  }
}

/**
 * @param {HTMLCanvasElement | HTMLImageElement} node
 * @param {CSSStyleDeclaration} style
 * @param {Box} place
 */
function imageOf(node, style, place) {
  const pixelated = style.imageRendering === "pixelated";
  return tag("image", {
    ...place,
    href: pixelsOf(node, style),
    opacity: Number(style.opacity),
    preserveAspectRatio: "none",
    ...(pixelated ? { style: "image-rendering: pixelated" } : {}),
  });
}

/**
 * What a picture or canvas shows, as a data URL.
 * @param {HTMLCanvasElement | HTMLImageElement} node
 * @param {CSSStyleDeclaration} style
 */
function pixelsOf(node, style) {
  if (node instanceof HTMLCanvasElement) return node.toDataURL();
  if (style.filter === "none") return node.src;
  const copy = element("canvas", { width: node.naturalWidth, height: node.naturalHeight });
  const context = context2d(copy);
  context.filter = style.filter; // grey below a map; not every reader of SVG knows filters
  context.drawImage(node, 0, 0);
  return copy.toDataURL();
}

/**
 * @param {CSSStyleDeclaration} style
 * @param {Box} place
 * @param {Put} put
 */
function drawBox(style, { x, y, width, height }, put) {
  if (!width || !height) return; // what is in it may lie elsewhere
  const line = Number.parseFloat(style.borderTopWidth);
  const filled = !/rgba\(.*, 0\)|transparent/.test(style.backgroundColor);
  if (!line && !filled) return;
  const inner = { x: x + line / 2, y: y + line / 2, width: width - line, height: height - line };
  const rx = Math.min(Number.parseFloat(style.borderTopLeftRadius) || 0, height / 2);
  const fill = filled ? style.backgroundColor : "none";
  const stroke = line ? style.borderTopColor : "none";
  put(tag("rect", { ...inner, rx, fill, stroke, "stroke-width": line }));
}

/**
 * @param {CSSStyleDeclaration} style
 * @param {Box} place
 * @param {Put} put
 */
function drawOutline(style, { x, y, width, height }, put) {
  const line = Number.parseFloat(style.outlineWidth);
  if (style.outlineStyle === "none" || !line) return;
  const grown = Number.parseFloat(style.outlineOffset) + line / 2;
  const [wide, high] = [width + 2 * grown, height + 2 * grown];
  const outer = { x: x - grown, y: y - grown, width: wide, height: high };
  put(tag("rect", { ...outer, fill: "none", stroke: style.outlineColor, "stroke-width": line }));
}

/**
 * The lines of a text where the page broke them; what the page cuts off is cut off with …
 * @param {Text} node
 * @param {CSSStyleDeclaration} style
 * @param {Origin} origin
 * @param {Put} put
 */
function drawWords(node, style, origin, put) {
  const pen = context2d(element("canvas"));
  const size = zoomOf(node.parentElement) * Number.parseFloat(style.fontSize);
  pen.font = `${style.fontStyle} ${style.fontWeight} ${size}px ${style.fontFamily}`;
  const { fontBoundingBoxAscent: up, fontBoundingBoxDescent: down } = pen.measureText("x");
  const font = {
    "font-family": style.fontFamily,
    "font-size": `${Number(size.toFixed(2))}px`,
    "font-weight": style.fontWeight,
    "font-style": style.fontStyle,
  };
  for (const { words, left, top, bottom } of linesOf(node)) {
    const y = (top + bottom) / 2 + (up - down) / 2 - origin.y;
    const place = { x: left - origin.x, y, fill: style.color, ...font };
    put(tag("text", place, xml(words.join(" "))), y + down);
  }
}

/**
 * @param {Text} node
 */
function linesOf(node) {
  const range = document.createRange();
  const frame = clipOf(node.parentElement);
  /** @type {{words: string[], left: number, top: number, bottom: number}[]} */
  const lines = [];
  let cut = false;
  for (const { 0: word, index } of node.data.matchAll(/\S+/g)) {
    range.setStart(node, index);
    range.setEnd(node, index + word.length);
    const box = range.getBoundingClientRect();
    const last = lines[lines.length - 1];
    cut ||= box.right > frame.right + 1 || box.bottom > frame.bottom + 2 || !box.width;
    if (cut) continue;
    if (last && Math.abs(last.top - box.top) < 2) last.words.push(word);
    else lines.push({ words: [word], left: box.left, top: box.top, bottom: box.bottom });
  }
  if (cut && lines.length) lines[lines.length - 1].words.push("…");
  return lines;
}

/**
 * Where the nearest surrounding box that hides what is beyond it ends.
 * @param {Element | null} node
 */
function clipOf(node) {
  for (let at = node; at; at = at.parentElement) {
    if (getComputedStyle(at).overflow !== "visible") return at.getBoundingClientRect();
  }
  return { right: Infinity, bottom: Infinity };
}

/**
 * What is drawn in an SVG element, which carries its own style.
 * @param {SVGSVGElement} node
 */
function shapesOf(node) {
  const copy = /** @type {SVGSVGElement} */ (node.cloneNode(true));
  const [from, to] = [node, copy].map((root) => [
    .../** @type {NodeListOf<SVGElement>} */ (root.querySelectorAll("*")),
  ]);
  from.forEach((part, n) => {
    const style = getComputedStyle(part);
    for (const name of SHAPE) to[n].style.setProperty(name, style.getPropertyValue(name));
  });
  return [...copy.children].map((part) => new XMLSerializer().serializeToString(part)).join("");
}

/**
 * Offer a figure as a file, once it shows what was asked for last.
 * @param {Element} figure
 * @param {"png" | "svg"} kind
 */
export async function saveSnapshot(figure, kind) {
  await new Promise(requestAnimationFrame);
  const shot = snapshot(figure);
  const text = new Blob([shot.svg], { type: "image/svg+xml" });
  const href = URL.createObjectURL(kind === "svg" ? text : await rasterised(shot));
  element("a", { href, download: `${fileName(shot.title)}.${kind}` }).click();
  URL.revokeObjectURL(href);
}

/**
 * A title as a short file name.
 * @param {string} title
 */
export function fileName(title) {
  const words = title.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  return words.slice(0, 8).join("-").slice(0, 60) || "figure";
}

/**
 * @param {Shot} shot
 * @returns {Promise<Blob>}
 */
async function rasterised({ svg, width, height }) {
  const picture = new Image(width, height);
  picture.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await picture.decode();
  const canvas = element("canvas", { width: FINE * width, height: FINE * height });
  context2d(canvas).drawImage(picture, 0, 0, canvas.width, canvas.height);
  return new Promise((done, failed) => {
    canvas.toBlob((blob) => (blob ? done(blob) : failed(new Error("no room for the picture"))));
  });
}
