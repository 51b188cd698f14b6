// What becomes of a text before it is spelled? As in Python: Unicode is mended, entities of HTML
// are resolved, blanks become single, letters small. Mending is ftfy's, but for one thing: what was
// read in the wrong encoding ("cafÃ©") is refused here, not guessed.
// @ts-check

/**
 * @typedef {object} Mending  tables from Python
 * @property {Record<string, string>} letters ligatures and wide forms, and what stands for them
 * @property {Record<string, string>} entities of HTML, by their names, with ";" where it belongs
 */

const MISREAD = /[ÂÃ][\u0080-\u00bf]|â€|ðŸ/u;
const CONTROLS = /[\x00-\x08\x0b\x0e-\x1f\x7f\u206a-\u206f\ufeff\ufff9-\ufffc]/gu;
const ENTITY = /&(#[0-9]+;?|#[xX][0-9a-fA-F]+;?|[^\t\n\f <&#;]{1,32};?)/gu;
const WHOLE_ENTITY = /&#?[0-9A-Za-z]{1,24};/gu;
const BLANKS = /[\s\x1c-\x1f\x85]+/u;

/**
 * @param {string} text
 * @param {Mending} tables
 */
export function clean(text, tables) {
  let cleaned = text;
  if (!/^[\x20-\x7e]*$/.test(text) || text.includes("&")) {
    cleaned = unescape(unescape(mended(text, tables), tables), tables);
  }
  return cleaned.split(BLANKS).filter(Boolean).join(" ").toLowerCase();
}

/**
 * As `ftfy.fix_text`.
 * @param {string} text
 * @param {Mending} tables
 */
function mended(text, tables) {
  const resolving = !text.includes("<");
  for (let now = text; ;) {
    const before = now;
    if (resolving) now = now.replace(WHOLE_ENTITY, (entity) => resolved(entity, tables));
    if (MISREAD.test(now)) {
      throw new Error("this text was read in the wrong encoding somewhere: type it anew");
    }
    now = now
      .replace(/[\x80-\x9f]/gu, (letter) => WINDOWS[letter.charCodeAt(0) - 0x80])
      .replace(/./gsu, (letter) => tables.letters[letter] ?? letter)
      .replace(/[\u02bc\u2018-\u201b]/gu, "'")
      .replace(/[\u201c-\u201f]/gu, '"')
      .replace(/\r\n|[\r\u2028\u2029\x85]/gu, "\n")
      .replace(/[\ud800-\udfff]/gu, "\ufffd")
      .replace(/\x1b\[(?:\d|;)*[a-zA-Z]/gu, "")
      .replace(CONTROLS, "")
      .normalize("NFC");
    if (now === before) return now;
  }
}

// what Windows has at 0x80 to 0x9f
const WINDOWS = "€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ";

/**
 * As ftfy does it: only what ends in ";", and some names in capitals, too.
 * @param {string} entity
 * @param {Mending} tables
 */
function resolved(entity, tables) {
  const name = entity.slice(1);
  const known = entityNamed(name, tables.entities);
  if (known !== null) return known;
  const small = name.toLowerCase();
  if (name === name.toUpperCase() && unescape(entity, tables) === entity) {
    return entityNamed(small, tables.entities)?.toUpperCase() ?? entity;
  }
  if (!name.startsWith("#")) return entity;
  const found = unescape(entity, tables);
  return found.includes(";") ? entity : found;
}

/**
 * As `html.unescape`.
 * @param {string} text
 * @param {Mending} tables
 */
function unescape(text, { entities }) {
  return text.replace(ENTITY, (whole, /** @type {string} */ name) => {
    if (name.startsWith("#")) return numbered(name);
    const known = entityNamed(name, entities);
    if (known !== null) return known;
    for (let n = name.length - 1; n > 1; n--) {
      const begun = entityNamed(name.slice(0, n), entities);
      if (begun !== null) return begun + name.slice(n);
    }
    return whole;
  });
}

/**
 * @param {string} name
 * @param {Record<string, string>} entities
 */
function entityNamed(name, entities) {
  return Object.hasOwn(entities, name) ? entities[name] : null;
}

/**
 * A character by its number, as HTML 5 reads them.
 * @param {string} name "#39;" or "#x27"
 */
function numbered(name) {
  const digits = name.replace(/;$/, "").slice(1);
  const number = /^x/i.test(digits) ? parseInt(digits.slice(1), 16) : parseInt(digits, 10);
  if (number === 0 || number > 0x10ffff || (number >= 0xd800 && number <= 0xdfff)) return "\ufffd";
  if (number >= 0x80 && number <= 0x9f) return WINDOWS[number - 0x80];
  const forbidden =
    (number >= 1 && number <= 8) ||
    (number >= 0xe && number <= 0x1f) ||
    number === 0xb ||
    number === 0x7f ||
    (number >= 0xfdd0 && number <= 0xfdef) ||
    (number & 0xfffe) === 0xfffe;
  return forbidden ? "" : number === 0xd ? "\r" : String.fromCodePoint(number);
}
