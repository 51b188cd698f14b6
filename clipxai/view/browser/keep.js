// What of a reader's choices outlives the data they were made on? The portable part of a viewer's state: it survives a new payload in a
// live widget, travels in the address of a saved page, and is checked before it is believed.
// @ts-check

/** @typedef {Record<string, (value: any) => boolean>} Checks  option -> whether a value makes sense for this payload */

/** A whole number of 0 to n - 1. @param {number} n */
export function below(n) {
  return (/** @type {any} */ value) => Number.isInteger(value) && value >= 0 && value < n;
}

/** @param {any[]} values */
export function oneOf(values) {
  return (/** @type {any} */ value) => values.includes(value);
}

/** A number from 0 to 1. @param {any} value @returns {boolean} */
export function isShare(value) {
  return typeof value === "number" && value >= 0 && value <= 1;
}

/** @param {any} value @returns {boolean} */
export function isFlag(value) {
  return typeof value === "boolean";
}

/** A patch of one of the grids, or none. @param {{height: number, width: number}[]} grids */
export function patchIn(grids) {
  return (/** @type {any} */ cell) =>
    cell === null ||
    (below(grids.length)(cell?.grid) &&
      below(grids[cell.grid].height)(cell.row) &&
      below(grids[cell.grid].width)(cell.column));
}

/** The options of a kept view that make sense here. @param {any} view @param {Checks} checks @returns {Record<string, any>} */
export function restored(view, checks) {
  const fits = Object.entries(checks).filter(
    ([name, check]) => Object.hasOwn(view ?? {}, name) && check(view[name]),
  );
  return Object.fromEntries(fits.map(([name]) => [name, view[name]]));
}

/** Tell the model of a change of what is kept; hovering is none. @param {any} model @param {any} now @param {any} before @param {Checks} checks */
export function keep(model, now, before, checks) {
  const names = Object.keys(checks);
  if (names.every((name) => now[name] === before[name])) return;
  model.set("view", Object.fromEntries(names.map((name) => [name, now[name]])));
  model.save_changes();
}
