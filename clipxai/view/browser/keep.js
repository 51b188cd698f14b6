// What of a reader's choices outlives the data they were made on? The portable part of a viewer's
// state: it survives a new payload in a live widget, travels in the address of a saved page, and is
// checked before it is believed.
// @ts-check

/** @import { Cell, Size } from "./state.js" */
/** @import { Model } from "./host.js" */
/**
 * @template S
 * @typedef {{[Option in keyof S]?: (value: unknown) => boolean}} Checks  option -> whether a value
 *   makes sense for this payload
 */

/**
 * A whole number of 0 to n - 1.
 * @param {number} n
 * @returns {(value: unknown) => value is number}
 */
export function below(n) {
  return /** @type {(value: unknown) => value is number} */ (
    (value) => typeof value === "number" && Number.isInteger(value) && value >= 0 && value < n
  );
}

/** @param {unknown[]} values */
export function oneOf(values) {
  return (/** @type {unknown} */ value) => values.includes(value);
}

/**
 * A number from 0 to 1.
 * @param {unknown} value
 */
export function isShare(value) {
  return typeof value === "number" && value >= 0 && value <= 1;
}

/** @param {unknown} value */
export function isFlag(value) {
  return typeof value === "boolean";
}

/**
 * A patch of one of the grids, or none.
 * @param {Size[]} grids
 */
export function patchIn(grids) {
  return (/** @type {unknown} */ value) => {
    if (value === null) return true;
    const { grid, row, column } = /** @type {Partial<Cell>} */ (value ?? {});
    if (!below(grids.length)(grid)) return false;
    return below(grids[grid].height)(row) && below(grids[grid].width)(column);
  };
}

/**
 * The options of a kept view that make sense here.
 * @template S
 * @param {unknown} view
 * @param {Checks<S>} checks
 * @returns {Partial<S>}
 */
export function restored(view, checks) {
  const kept = /** @type {Record<string, unknown>} */ (view ?? {});
  const tests = Object.entries(/** @type {Record<string, (value: unknown) => boolean>} */ (checks));
  const fits = tests.filter(([name, check]) => Object.hasOwn(kept, name) && check(kept[name]));
  const options = Object.fromEntries(fits.map(([name]) => [name, kept[name]]));
  return /** @type {Partial<S>} */ (options);
}

/**
 * Tell the model of a change of what is kept; hovering is none.
 * @template S
 * @param {Pick<Model, "set" | "save_changes">} model
 * @param {S} now
 * @param {S} before
 * @param {Checks<S>} checks
 */
export function keep(model, now, before, checks) {
  const names = /** @type {(keyof S)[]} */ (Object.keys(checks));
  if (names.every((name) => now[name] === before[name])) return;
  model.set("view", Object.fromEntries(names.map((name) => [name, now[name]])));
  model.save_changes();
}
