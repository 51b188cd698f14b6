// How is a scene drawn, and which of its pixels belong to which thing? On a canvas, things over a
// background, the last in front.
// @ts-check
import { context2d } from "../../view/browser/draw.js";

/** @import { Pictures, Thing } from "./types.js" */
/**
 * @typedef {object} Sheets
 * @property {ImageBitmap} sprites
 * @property {ImageBitmap} tiles
 * @property {Pictures} pictures
 * @property {HTMLCanvasElement} scratch
 */

const VISIBLE = 128; // alpha from which a pixel belongs to a thing, as in compose.py
const CRUMB = 0.002; // of the picture: lines around less only disturb

/**
 * @param {Uint8Array} sprites encoded pictures
 * @param {Uint8Array} tiles
 * @param {Pictures} pictures
 * @returns {Promise<Sheets>}
 */
export async function decodeSheets(sprites, tiles, pictures) {
  const decoded = [sprites, tiles].map((bytes) =>
    createImageBitmap(new Blob([bytes.slice()], { type: "image/webp" })),
  );
  const [first, second] = await Promise.all(decoded);
  const scratch = document.createElement("canvas");
  scratch.getContext("2d", { willReadFrequently: true }); // the first call decides
  return { sprites: first, tiles: second, pictures, scratch };
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Sheets} sheets
 * @param {string} name
 * @param {number[]} box left, top, side
 */
export function drawSprite(context, { sprites, pictures }, name, [left, top, side]) {
  const n = pictures.names.indexOf(name);
  const [x, y] = [n % pictures.columns, Math.floor(n / pictures.columns)];
  const size = pictures.sprite;
  context.imageSmoothingQuality = "high";
  context.drawImage(sprites, x * size, y * size, size, size, left, top, side, side);
}

/**
 * The whole scene, but for the things at places of `hidden`.
 * @param {HTMLCanvasElement} canvas
 * @param {Sheets} sheets
 * @param {{things: Thing[], background: string}} scene
 * @param {number | null} [hidden]
 */
export function drawScene(canvas, sheets, { things, background }, hidden = null) {
  const context = context2d(canvas);
  const size = canvas.width;
  const { tile, backgrounds } = sheets.pictures;
  context.imageSmoothingQuality = "high";
  context.drawImage(
    sheets.tiles,
    backgrounds.indexOf(background) * tile,
    ...[0, tile, tile, 0, 0, size, size],
  );
  things.forEach((thing, n) => {
    if (n !== hidden) drawSprite(context, sheets, thing.name, boxOf(thing, size));
  });
}

/**
 * @param {Thing} thing
 * @param {number} size of the picture
 */
export function boxOf({ x, y, side }, size) {
  return [(x - side / 2) * size, (y - side / 2) * size, side * size];
}

/**
 * The colours that the model reads, four bytes a pixel.
 * @param {Sheets} sheets
 * @param {{things: Thing[], background: string}} scene
 * @param {number} size
 * @param {number | null} [hidden]
 */
export function coloursOf(sheets, scene, size, hidden = null) {
  const canvas = sheets.scratch;
  canvas.width = canvas.height = size;
  drawScene(canvas, sheets, scene, hidden);
  return context2d(canvas).getImageData(0, 0, size, size).data;
}

/**
 * The visible pixels of every thing, 1 inside.
 * @param {Sheets} sheets
 * @param {Thing[]} things
 * @param {number} size
 */
export function masksOf(sheets, things, size) {
  const canvas = sheets.scratch;
  canvas.width = canvas.height = size;
  const context = context2d(canvas);
  /** @type {Uint8Array[]} */
  const masks = [];
  const inside = (/** @type {number} */ place) => Math.min(Math.max(place, 0), size);
  for (const thing of things) {
    const box = boxOf(thing, size);
    const [left, top] = [box[0], box[1]].map((place) => inside(Math.floor(place)));
    const [right, bottom] = [box[0], box[1]].map((place) => inside(Math.ceil(place + box[2])));
    const own = new Uint8Array(size * size);
    masks.push(own);
    if (left >= right || top >= bottom) continue; // it lies beside the picture
    context.clearRect(0, 0, size, size);
    drawSprite(context, sheets, thing.name, box);
    const { data } = context.getImageData(left, top, right - left, bottom - top);
    // plain loops, as every move waits for them
    for (let y = top, at = 3; y < bottom; y++) {
      for (let x = left; x < right; x++, at += 4) {
        if (data[at] < VISIBLE) continue;
        for (const mask of masks) mask[y * size + x] = 0; // what lies below is hidden
        own[y * size + x] = 1;
      }
    }
  }
  return masks;
}

/**
 * The lines around a mask, each closed: x, y, x, y … along the edges of its pixels.
 * @param {Uint8Array} mask
 * @param {number} size
 */
export function outlinesOf(mask, size) {
  const at = (/** @type {number} */ x, /** @type {number} */ y) =>
    x >= 0 && y >= 0 && x < size && y < size && mask[y * size + x] === 1;
  const corner = (/** @type {number} */ x, /** @type {number} */ y) => y * (size + 1) + x;
  /** @type {Map<number, number[]>} */
  const next = new Map(); // from corner to corner, the inside on the right
  const edge = (/** @type {number} */ from, /** @type {number} */ to) =>
    next.set(from, [...(next.get(from) ?? []), to]);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      if (!at(x, y)) continue;
      if (!at(x, y - 1)) edge(corner(x, y), corner(x + 1, y));
      if (!at(x + 1, y)) edge(corner(x + 1, y), corner(x + 1, y + 1));
      if (!at(x, y + 1)) edge(corner(x + 1, y + 1), corner(x, y + 1));
      if (!at(x - 1, y)) edge(corner(x, y + 1), corner(x, y));
    }
  }
  const lines = [];
  for (const start of next.keys()) {
    const line = [];
    let place = start;
    for (let to = next.get(place)?.pop(); to !== undefined; to = next.get(place)?.pop()) {
      line.push(place % (size + 1), Math.floor(place / (size + 1)));
      place = to;
    }
    if (Math.abs(areaOf(line)) > size * size * CRUMB) lines.push(line);
  }
  return lines;
}

/**
 * What a closed line goes around; negative where it goes around a hole.
 * @param {number[]} line
 */
function areaOf(line) {
  let twice = 0;
  for (let i = 0; i < line.length; i += 2) {
    const [x, y] = [line[(i + 2) % line.length], line[(i + 3) % line.length]];
    twice += line[i] * y - x * line[i + 1];
  }
  return twice / 2;
}
