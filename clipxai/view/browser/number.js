// How are numbers and sentences with numbers written? As number.py writes them, which golden
// vectors check.
// @ts-check

/**
 * A score for people: three significant digits and a real minus sign.
 * @param {number} value
 */
export function format(value) {
  if (!Number.isFinite(value)) return "not a number";
  if (value === 0) return "0";
  const rounded = Number(value.toPrecision(3));
  const exponent = Math.floor(Math.log10(Math.abs(rounded)));
  const plain = exponent >= -4 && exponent < 3 ? String(rounded) : exponential(value);
  return plain.replaceAll("-", "−");
}

/**
 * As Python writes it: two digits of exponent at least.
 * @param {number} value
 */
function exponential(value) {
  const [digits, exponent] = value.toExponential(2).split("e");
  return `${Number(digits)}e${exponent[0]}${exponent.slice(1).padStart(2, "0")}`;
}

/**
 * A share for people: its sign and three decimals, so that a row of them compares at a glance.
 * @param {number} value
 */
export function signed(value) {
  if (!Number.isFinite(value)) return format(value);
  const written = decimals(value, 3);
  return written.startsWith("−") ? written : `+${written}`;
}

/**
 * A cosine, overlap or correlation for people: two decimals.
 * @param {number} value
 */
export function twoDigits(value) {
  return decimals(value, 2);
}

/**
 * A share of a whole for people, in hundredths: one decimal.
 * @param {number} value
 */
function percent(value) {
  if (!Number.isFinite(value)) return format(value);
  return `${decimals(100 * value, 1)} %`;
}

/**
 * A contrast for people: its sign, in hundredths, without decimals.
 * @param {number} value
 */
export function hundredths(value) {
  if (!Number.isFinite(value)) return format(value);
  const written = decimals(100 * value, 0);
  return Number(written) > 0 ? `+${written}` : written;
}

/**
 * What the decimals round to zero is no less than zero.
 * @param {number} value
 * @param {number} digits behind the point
 */
function decimals(value, digits) {
  if (!Number.isFinite(value)) return format(value);
  const written = value.toFixed(digits);
  return (Number(written) ? written : (0).toFixed(digits)).replace("-", "−");
}

/** @type {Record<string, (value: number) => string>} */
const WAYS = {
  number: format,
  signed,
  two_digits: twoDigits,
  tenth: (value) => decimals(value, 1),
  percent,
  hundredths,
};

/**
 * A sentence with values in its places: `{name}` as it is, `{name:signed}` in one of the `WAYS`.
 * What has no value stays, so that words that somebody typed may have braces.
 * @param {string} sentence
 * @param {Record<string, string | number>} values
 */
export function fill(sentence, values) {
  return sentence.replace(/\{(\w+)(?::(\w+))?\}/g, (place, name, way) => {
    if (!Object.hasOwn(values, name)) return place;
    if (!way) return String(values[name]);
    return Object.hasOwn(WAYS, way) ? WAYS[way](Number(values[name])) : place;
  });
}
