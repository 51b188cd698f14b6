// Which blocks have a column of their own? All if there is room; else the open one and those beside
// it, and the others in groups, as through a fish-eye.
// @ts-check

/** @import { Column } from "./types.js" */

const BESIDE = 1; // blocks on either side that stand alone

/**
 * Columns from left to right that hold every block once; `most` of them, or as few as one can.
 * @param {number} layers
 * @param {number} most
 * @param {number} open the block that is looked at
 * @param {number} [rail] the first block that has one, with which a group begins
 * @returns {Column[]}
 */
export function columnsOf(layers, most, open, rail = 0) {
  if (layers <= most) return alone(0, layers - 1);
  const first = Math.max(0, open - BESIDE);
  const last = Math.min(layers - 1, open + BESIDE);
  const room = Math.max(2, most - (last - first + 1));
  const [before, behind] = [first, layers - 1 - last];
  const left = share(before, behind, room);
  return [
    ...split(0, first - 1, left, rail),
    ...alone(first, last),
    ...split(last + 1, layers - 1, behind ? Math.max(1, room - left) : 0, rail),
  ];
}

/**
 * How many of some columns those before get: by their number, and one if there are any.
 * @param {number} before
 * @param {number} behind
 * @param {number} room
 */
function share(before, behind, room) {
  if (!before) return 0;
  const even = Math.round((room * before) / (before + behind));
  return Math.min(before, Math.max(1, behind ? Math.min(even, room - 1) : room));
}

/**
 * @param {number} first
 * @param {number} last
 * @returns {Column[]}
 */
function alone(first, last) {
  return Array.from({ length: last - first + 1 }, (_, n) => ({
    first: first + n,
    last: first + n,
  }));
}

/**
 * Groups of which one begins `at` a block, if there are two or more.
 * @param {number} first
 * @param {number} last
 * @param {number} count
 * @param {number} at
 * @returns {Column[]}
 */
function split(first, last, count, at) {
  if (count < 2 || at <= first || at > last) return groups(first, last, count);
  const before = share(at - first, last + 1 - at, count);
  return [...groups(first, at - 1, before), ...groups(at, last, count - before)];
}

/**
 * Blocks in so many groups of nearly one size.
 * @param {number} first
 * @param {number} last
 * @param {number} count
 * @returns {Column[]}
 */
function groups(first, last, count) {
  const blocks = last - first + 1;
  const many = Math.min(count, blocks);
  const at = (/** @type {number} */ n) => first + Math.round((n * blocks) / many);
  return Array.from({ length: many }, (_, n) => ({ first: at(n), last: at(n + 1) - 1 }));
}
