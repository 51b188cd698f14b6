// How is a number written for people? As scales.py writes it, which golden vectors check.
// @ts-check

/** A score for people: three significant digits and a real minus sign. @param {number} value @returns {string} */
export function format(value) {
  if (!Number.isFinite(value)) return "not a number";
  if (value === 0) return "0";
  const exponent = Math.floor(Math.log10(Math.abs(Number(value.toPrecision(3)))));
  const plain =
    exponent >= -4 && exponent < 3 ? String(Number(value.toPrecision(3))) : exponential(value);
  return plain.replaceAll("-", "−");
}

/** As Python writes it: two digits of exponent at least. @param {number} value @returns {string} */
function exponential(value) {
  const [digits, exponent] = value.toExponential(2).split("e");
  return `${Number(digits)}e${exponent[0]}${exponent.slice(1).padStart(2, "0")}`;
}

/** A share for people: its sign and three decimals. @param {number} value @param {number} [digits] @returns {string} */
export function signed(value, digits = 3) {
  if (!Number.isFinite(value)) return format(value);
  return `${value < 0 || Object.is(value, -0) ? "−" : "+"}${Math.abs(value).toFixed(digits)}`;
}

/** A cosine, overlap or correlation for people: two decimals. @param {number} value @returns {string} */
export function twoDigits(value) {
  return value.toFixed(2).replace("-", "−");
}
