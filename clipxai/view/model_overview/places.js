// Where does everything stand in the block diagram? From left to right image, patches, blocks, the
// joint space, text; the stream in the middle, the second rail below it.
// @ts-check
import { roomOf } from "../browser/fit.js";
import { columnsOf } from "./columns.js";

/** @import { Column, OverviewHeader } from "./types.js" */
/**
 * @typedef {object} Places  in pixels
 * @property {number} height
 * @property {number} photo width of the picture
 * @property {number} start where the column of patches begins
 * @property {number} first width of that column
 * @property {number} x where blocks begin
 * @property {number} each width of a block
 * @property {Column[]} columns
 * @property {number} boxes height of the boxes of a block
 * @property {number} small side of a small map
 * @property {number} stream where the middle of the stream is
 * @property {number} rail where the middle of the second rail is
 * @property {number} joint where the joint space begins
 * @property {number} wide its width
 * @property {number} text where the text begins
 */

const [NARROW, LOW] = [860, 540]; // below that, in width or height, everything is smaller
const TIGHT = 620; // below that text, joint space and what lies between are smaller still
const LEAST = 52; // of a block: two boxes to click at
export const TOP = 20; // of the boxes, below their numbers
export const [GAP, BUTTON] = [6, 24];

/**
 * Whether everything is smaller.
 * @param {number} width that there is
 */
export const isCompact = (width) => width < NARROW || roomOf() < LOW;

/**
 * @param {OverviewHeader} header
 * @param {number} width that there is
 * @param {number} open block
 * @returns {Places}
 */
export function placesOf({ layers, stream: flows, rail, grids }, width, open) {
  const [H, W] = grids[0].image_size;
  const tall = Math.min(H / W, 1.2); // a taller image is drawn smaller
  const compact = isCompact(width);
  const [photo, wide, words, between, beside] = compact
    ? width < TIGHT
      ? [100, 78, 66, 8, 4]
      : [104, 88, 88, 14, 8]
    : [150, 112, 132, 14, 8];
  const [boxes, most, gap] = compact ? [46, 38, 10] : [66, 56, 14];
  const start = photo + Math.min(gap, between);
  const first = most + beside;
  const text = width - words;
  const joint = text - wide - between;
  const least = start + first + 4;
  const room = joint - least - gap;
  const many = Math.max(5, Math.floor(room / LEAST));
  const columns = columnsOf(layers, many, open, rail ? layers - rail.blocks : 0);
  const each = Math.min(columns.length ? room / columns.length : room, 92);
  const x = flows ? least : joint - gap - each * columns.length; // a ResNet's is at its end
  const small = Math.min(most, each - GAP);
  const stream = TOP + boxes + 12 + small / 2;
  const below = stream + small + gap + BUTTON + 3;
  const left = photo * tall + (rail ? 4 + (compact ? 0 : 18) + 24 * rail.names.length : 0);
  const height = Math.max(rail ? below + small / 2 + 2 : stream + wide / 2, left);
  return {
    ...{ height, photo, start, first, x, each, columns, boxes, small, stream },
    ...{ rail: below, joint, wide, text },
  };
}
