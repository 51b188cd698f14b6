// What stands below the pictures of a figure: a status line, help, and, folded away, what the
// colours mean, and tables.
// @ts-check
import { element, paragraphs } from "./element.js";

/** @import { State } from "./state.js" */
/**
 * @typedef {{title: string, head: string[], rows: string[][]}} Table
 */

/**
 * Status, help and caption.
 * @param {string} help
 */
export function createSmallPrint(help) {
  const status = element("div", { className: "status" });
  const lines = element("div", { className: "caption" });
  const caption = createFold("what it means", lines);
  const hints = element("p", { className: "help", hidden: true }, help);
  let written = "";
  return {
    status,
    caption,
    help: hints,
    nodes: [status, hints, caption],
    /** @param {State} state */
    show: (state) => (hints.hidden = !state.help),
    /**
     * Sentences below the figure; the same ones stay as they are.
     * @param {string[]} sentences
     */
    write(sentences) {
      const text = sentences.join("\n");
      if (text !== written) lines.replaceChildren(...paragraphs(sentences));
      written = text;
    },
  };
}

/**
 * Something that is seen once it is opened.
 * @param {string} summary
 * @param {HTMLElement} inner
 */
export function createFold(summary, inner) {
  return element("details", {}, element("summary", {}, summary), inner);
}

/** @param {Table} table */
export function createPlainTable({ title, head, rows }) {
  const names = head.map((name) => element("th", { scope: "col" }, name));
  const lines = rows.map((row) =>
    element("tr", {}, ...row.map((value) => element("td", {}, value))),
  );
  const table = element(
    "table",
    {},
    element("caption", {}, title),
    element("thead", {}, element("tr", {}, ...names)),
    element("tbody", {}, ...lines),
  );
  return element("div", { className: "scroll" }, table);
}

/**
 * A table that is made when somebody opens it.
 * @param {string} summary
 * @param {() => Table} make
 */
export function createTableDetails(summary, make) {
  const heading = element("summary", {}, summary);
  const details = element("details", {}, heading);
  const show = () => {
    if (details.open) details.replaceChildren(heading, createPlainTable(make()));
  };
  details.addEventListener("toggle", show);
  return { details, show };
}
