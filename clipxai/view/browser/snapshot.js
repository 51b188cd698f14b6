// How does a reader take home what is on the screen? The figure is read off the page, as it is drawn at this moment, into one SVG of
// pictures, boxes and words; a browser turns that into a PNG. Controls and what is folded away stay behind.
// @ts-check
import { context2d } from "./draw.js";

const LEFT_OUT = ".controls, .help, details, style, .pinbar button, [hidden]";
const [HEAD, EDGE, FINE] = [34, 12, 2]; // pixels above for the title and around; of the PNG for each on the screen
const SHAPE = [
  "fill",
  "stroke",
  "stroke-width",
  "stroke-dasharray",
  "opacity",
  "text-anchor",
  "font-family",
  "font-size",
  "font-weight",
];

/** A value as XML text. @param {any} value @returns {string} */
export function xml(value) {
  return String(value).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}

/** @param {string} name @param {Record<string, any>} attributes @param {string} [inner] @returns {string} */
function tag(name, attributes, inner = "") {
  const words = Object.entries(attributes).map(
    ([key, value]) =>
      ` ${key}="${xml(typeof value === "number" ? Number(value.toFixed(2)) : value)}"`,
  );
  return `<${name}${words.join("")}>${inner}</${name}>`;
}

/**
 * A figure as SVG, with its summary as title.
 * @param {HTMLElement} figure @returns {{svg: string, width: number, height: number, title: string}}
 */
export function snapshot(figure) {
  const area = figure.getBoundingClientRect();
  const title = /** @type {HTMLElement} */ (figure.querySelector(".stage"))?.dataset.summary ?? "";
  /** @type {{parts: string[], low: number}} */
  const drawn = { parts: [], low: 0 };
  const controls = figure.querySelector(".controls")?.getBoundingClientRect().bottom ?? area.top;
  const origin = { x: area.left - EDGE, y: controls - HEAD };
  for (const child of figure.children) draw(child, origin, drawn);
  const { color, backgroundColor, fontFamily } = getComputedStyle(figure);
  const [width, height] = [Math.ceil(area.width + 2 * EDGE), Math.ceil(drawn.low + EDGE)];
  const ground = tag("rect", { width, height, fill: backgroundColor });
  const head = tag(
    "text",
    {
      x: EDGE,
      y: 22,
      fill: color,
      "font-family": fontFamily,
      "font-size": 15,
      "font-weight": 600,
      ...fitting(title, width - 2 * EDGE),
    },
    xml(title),
  );
  const frame = {
    xmlns: "http://www.w3.org/2000/svg",
    width,
    height,
    viewBox: `0 0 ${width} ${height}`,
  };
  return { svg: tag("svg", frame, ground + head + drawn.parts.join("")), width, height, title };
}

/** A title that would be too wide is set tighter. @param {string} title @param {number} width @returns {object} */
function fitting(title, width) {
  const wide = title.length * 8.2 > width;
  return wide ? { textLength: width, lengthAdjust: "spacingAndGlyphs" } : {};
}

/**
 * An element and what is in it, in the order in which they are painted.
 * @param {Element} node @param {{x: number, y: number}} origin @param {{parts: string[], low: number}} drawn
 */
function draw(node, origin, drawn) {
  const style = getComputedStyle(node);
  const box = node.getBoundingClientRect();
  if (node.matches(LEFT_OUT) || style.display === "none" || style.visibility === "hidden") return;
  const place = {
    x: box.left - origin.x,
    y: box.top - origin.y,
    width: box.width,
    height: box.height,
  };
  const put = (/** @type {string} */ part, low = place.y + place.height) => {
    drawn.parts.push(part);
    drawn.low = Math.max(drawn.low, low);
  };
  if (node instanceof HTMLCanvasElement || node instanceof HTMLImageElement) {
    if (!box.width || !box.height) return;
    const rendering =
      style.imageRendering === "pixelated" ? { style: "image-rendering: pixelated" } : {};
    put(
      tag("image", {
        ...place,
        href: pixelsOf(node, style),
        opacity: Number(style.opacity),
        preserveAspectRatio: "none",
        ...rendering,
      }),
    );
  } else if (node instanceof SVGSVGElement) {
    put(
      tag(
        "svg",
        { ...place, viewBox: node.getAttribute("viewBox"), overflow: "visible" },
        shapesOf(node),
      ),
    );
  } else {
    drawBox(style, place, put);
    if (!node.matches(":focus-visible")) drawOutline(style, place, put); // where the keys go is no part of the picture
    for (const child of node.childNodes) {
      if (child instanceof Element) draw(child, origin, drawn);
      else if (child.nodeType === Node.TEXT_NODE)
        drawWords(/** @type {Text} */ (child), style, origin, put);
    }
  }
}

/** What a picture or canvas shows, as a data URL. @param {HTMLCanvasElement | HTMLImageElement} node @param {CSSStyleDeclaration} style @returns {string} */
function pixelsOf(node, style) {
  if (node instanceof HTMLCanvasElement) return node.toDataURL();
  if (style.filter === "none") return node.src;
  const copy = document.createElement("canvas");
  [copy.width, copy.height] = [node.naturalWidth, node.naturalHeight];
  const context = context2d(copy);
  context.filter = style.filter; // grey below a map; not every reader of SVG knows filters
  context.drawImage(node, 0, 0);
  return copy.toDataURL();
}

/** @param {CSSStyleDeclaration} style @param {any} place @param {(part: string) => void} put */
function drawBox(style, place, put) {
  if (!place.width || !place.height) return; // what is in it may lie elsewhere
  const line = Number.parseFloat(style.borderTopWidth);
  const filled = !/rgba\(.*, 0\)|transparent/.test(style.backgroundColor);
  if (!line && !filled) return;
  const inner = {
    x: place.x + line / 2,
    y: place.y + line / 2,
    width: place.width - line,
    height: place.height - line,
  };
  put(
    tag("rect", {
      ...inner,
      rx: Math.min(Number.parseFloat(style.borderTopLeftRadius) || 0, place.height / 2),
      fill: filled ? style.backgroundColor : "none",
      stroke: line ? style.borderTopColor : "none",
      "stroke-width": line,
    }),
  );
}

/** @param {CSSStyleDeclaration} style @param {any} place @param {(part: string) => void} put */
function drawOutline(style, place, put) {
  const [line, offset] = [
    Number.parseFloat(style.outlineWidth),
    Number.parseFloat(style.outlineOffset),
  ];
  if (style.outlineStyle === "none" || !line) return;
  const grown = offset + line / 2;
  put(
    tag("rect", {
      x: place.x - grown,
      y: place.y - grown,
      width: place.width + 2 * grown,
      height: place.height + 2 * grown,
      fill: "none",
      stroke: style.outlineColor,
      "stroke-width": line,
    }),
  );
}

/**
 * The lines of a text where the page broke them; what the page cuts off is cut off with …
 * @param {Text} node @param {CSSStyleDeclaration} style @param {{x: number, y: number}} origin @param {(part: string, low: number) => void} put
 */
function drawWords(node, style, origin, put) {
  const range = document.createRange();
  const frame = clipOf(/** @type {Element} */ (node.parentElement));
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
  const pen = context2d(document.createElement("canvas"));
  pen.font = style.font;
  const { fontBoundingBoxAscent: up, fontBoundingBoxDescent: down } = pen.measureText("x");
  for (const { words, left, top, bottom } of lines) {
    const y = (top + bottom) / 2 + (up - down) / 2 - origin.y;
    const text = {
      x: left - origin.x,
      y,
      fill: style.color,
      "font-family": style.fontFamily,
      "font-size": style.fontSize,
      "font-weight": style.fontWeight,
      "font-style": style.fontStyle,
    };
    put(tag("text", text, xml(words.join(" "))), y + down);
  }
}

/** Where the nearest surrounding box that hides what is beyond it ends. @param {Element} node @returns {{right: number, bottom: number}} */
function clipOf(node) {
  for (let at = /** @type {Element | null} */ (node); at; at = at.parentElement) {
    if (getComputedStyle(at).overflow !== "visible") return at.getBoundingClientRect();
  }
  return { right: Infinity, bottom: Infinity };
}

/** What is drawn in an SVG element, which carries its own style. @param {SVGSVGElement} node @returns {string} */
function shapesOf(node) {
  const copy = /** @type {SVGSVGElement} */ (node.cloneNode(true));
  const [from, to] = [node, copy].map(
    (root) => /** @type {SVGElement[]} */ ([...root.querySelectorAll("*")]),
  );
  from.forEach((shape, n) => {
    const style = getComputedStyle(shape);
    for (const name of SHAPE) to[n].style.setProperty(name, style.getPropertyValue(name));
  });
  return [...copy.children].map((shape) => new XMLSerializer().serializeToString(shape)).join("");
}

/** Offer a figure as a file, once it shows what was asked for last. @param {HTMLElement} figure @param {"png" | "svg"} kind */
export async function saveSnapshot(figure, kind) {
  await new Promise(requestAnimationFrame);
  const shot = snapshot(figure);
  const text = new Blob([shot.svg], { type: "image/svg+xml" });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(kind === "svg" ? text : await rasterised(shot));
  link.download = `${fileName(shot.title)}.${kind}`;
  link.click();
  URL.revokeObjectURL(link.href);
}

/** A title as a short file name. @param {string} title @returns {string} */
export function fileName(title) {
  const words = title.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  return words.slice(0, 8).join("-").slice(0, 60) || "figure";
}

/** @param {{svg: string, width: number, height: number}} shot @returns {Promise<Blob>} */
async function rasterised({ svg, width, height }) {
  const picture = new Image(width, height);
  picture.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await picture.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [FINE * width, FINE * height];
  context2d(canvas).drawImage(picture, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob((blob) => done(/** @type {Blob} */ (blob))));
}
