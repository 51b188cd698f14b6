// How does one get from box to box? With the arrow keys, to the nearest in that direction.
// @ts-check

/** @import { Box } from "./types.js" */
/** @typedef {{node: HTMLElement, box: Box, first: number, last: number, centre: number}} Placed */

/**
 * Whether there is only one such box.
 * @param {Box} box
 */
export function isOne(box) {
  return box === "image" || box === "joint" || box === "text";
}

/**
 * @param {number} n
 * @param {number} first
 * @param {number} last
 */
export function clampInto(n, first, last) {
  return Math.min(Math.max(n, first), last);
}

/**
 * From box to box with the arrow keys: to the nearest in that direction.
 * @param {KeyboardEvent} event
 * @param {Placed[]} placed
 */
export function moveFocus(event, placed) {
  const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[
    event.key
  ];
  const from = placed.find(({ node }) => node === event.target)?.node;
  if (!way || !from) return;
  event.preventDefault();
  const [x, y] = middle(from);
  let [best, least] = [from, Infinity];
  for (const { node } of placed) {
    const [dx, dy] = [middle(node)[0] - x, middle(node)[1] - y];
    const along = dx * way[0] + dy * way[1];
    const aside = Math.abs(dx * way[1]) + Math.abs(dy * way[0]);
    if (node === from || along < 4) continue;
    const far = along + 3 * aside;
    if (far < least) [best, least] = [node, far];
  }
  from.tabIndex = -1;
  best.tabIndex = 0;
  best.focus();
}

/** @param {HTMLElement} node */
function middle(node) {
  return [node.offsetLeft + node.offsetWidth / 2, node.offsetTop + node.offsetHeight / 2];
}
