// Where are the maps highest? The strongest patches of the first map, and what the others say of
// them.
// @ts-check
import { fill, format } from "../browser/number.js";

/** @import { MapPanel } from "../browser/panel.js" */
/** @import { Table } from "../browser/small_print.js" */
/** @import { ComparisonHeader, ComparisonSpec } from "./types.js" */

/**
 * @param {ComparisonHeader} header
 * @param {MapPanel[]} maps
 * @param {ComparisonSpec[]} specs of the maps
 * @returns {Table}
 */
export function tableOf({ words, table }, maps, specs) {
  const [{ spec, grid }] = maps;
  const { values, source } = spec;
  const order = [...values.keys()]
    .filter((n) => !Number.isNaN(values[n]))
    .sort((a, b) => values[b] - values[a]);
  const rows = order.slice(0, table.rows).map((n, rank) => {
    const [row, column] = [Math.floor(n / grid.width), n % grid.width];
    const numbers = maps.map((map) => {
      const value = map.at({ grid: source, row, column });
      return value === null ? words.outside_cell : format(value);
    });
    return [rank + 1, row, column, ...numbers].map(String);
  });
  const names = specs.map(({ title, method }) => fill(words.table_column, { title, method }));
  const { title, method } = specs[0];
  const heading = fill(words.table_title, { title, method });
  return { title: heading, head: [...table.head, ...names], rows };
}

/**
 * How far each map agrees with the truth and with the first.
 * @param {ComparisonHeader} header
 * @param {ComparisonSpec[]} specs of the maps
 * @returns {Table}
 */
export function meritsOf({ words, merits }, specs) {
  const names = merits.names.filter((name) => specs.some((spec) => name in spec.merits));
  const rows = specs.map((spec) => {
    const map = fill(words.table_column, { title: spec.title, method: spec.method });
    return [map, ...names.map((name) => spec.merits[name] ?? "")];
  });
  return { title: merits.title, head: [words.merits_map, ...names], rows };
}
