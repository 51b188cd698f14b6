// How is an element made? With typed properties, and with words that stay words, never markup.
// @ts-check

/**
 * @typedef {Record<`${string}-${string}`, string>} Attributes  a name with a dash is an attribute,
 *   and so is `role`, which older browsers have as nothing else
 */

/**
 * An element with properties, attributes and children.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Partial<HTMLElementTagNameMap[Tag]> & Attributes} [properties]
 * @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, properties, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (name.includes("-") || name === "role") node.setAttribute(name, String(value));
    else Object.assign(node, { [name]: value });
  }
  node.append(...children);
  return node;
}

/**
 * An element of a drawing.
 * @template {keyof SVGElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string | number>} attributes
 * @param {string} [text]
 * @returns {SVGElementTagNameMap[Tag]}
 */
export function shape(tag, attributes, text) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  if (text !== undefined) node.textContent = text;
  return node;
}

/**
 * Sentences as paragraphs.
 * @param {string[]} lines
 */
export function paragraphs(lines) {
  return lines.map((line) => element("p", {}, line));
}

/**
 * Whether what has the focus takes letters, which then are no shortcut: a field of text, or a list,
 * which jumps to what begins with them.
 * @param {Event} event
 */
export function takesLetters({ target }) {
  const typed = "input:not([type=button], [type=checkbox], [type=radio], [type=range])";
  return /** @type {Element} */ (target).matches(`select, textarea, ${typed}`);
}
