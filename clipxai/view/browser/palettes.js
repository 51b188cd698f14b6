// In which colours does a reader want "more of the text"? One choice for all figures, remembered by
// the browser.
// @ts-check

export const PALETTES = ["viridis", "cividis", "grey"];
const KEPT = "clipxai-palette"; // name in the browser's memory, and of the event that tells of it
// 33 of cividis' 256 colours; what lies between is as good as a straight line
const CIVIDIS =
  "00224e00285b002e6a0533711a386f273e6e32436d3b496c434e6c4b546c535a6d5a5f6e61656f686a716f7073" +
  "7676767d7c788381798b8778928d789a9376a29975aaa073b3a670bbad6dc3b369ccba64d4c15fddc858e6d051" +
  "efd748f8df3cfee838";

/** The name that was chosen last, in whichever figure. */
export function chosenPalette() {
  try {
    return PALETTES.find((name) => name === localStorage.getItem(KEPT)) ?? PALETTES[0];
  } catch {
    return PALETTES[0]; // a page that may not remember
  }
}

/** @param {string} name */
export function choosePalette(name) {
  try {
    localStorage.setItem(KEPT, name);
  } catch {
    // then it is forgotten with the page
  }
  window.dispatchEvent(new CustomEvent(KEPT, { detail: name }));
}

/**
 * Call back whenever a figure of the page is given other colours. Returns what stops listening.
 * @param {(name: string) => void} notify
 */
export function watchPalette(notify) {
  const tell = (/** @type {Event} */ event) =>
    notify(/** @type {CustomEvent<string>} */ (event).detail);
  window.addEventListener(KEPT, tell);
  return () => window.removeEventListener(KEPT, tell);
}

/**
 * 256 × RGB, from dark to light.
 * @param {string} name
 * @param {Uint8Array} viridis
 */
export function paletteTable(name, viridis) {
  if (name === "viridis") return viridis;
  const table = new Uint8Array(768);
  for (let n = 0; n < 256; n++) {
    for (let c = 0; c < 3; c++) table[3 * n + c] = name === "grey" ? n : between(n, c);
  }
  return table;
}

/** @param {number} n @param {number} c */
function between(n, c) {
  const last = CIVIDIS.length / 6 - 1;
  const stop = (/** @type {number} */ at) => Math.round((at * 255) / last);
  const at = Math.min(Math.floor((n * last) / 255), last - 1);
  const value = (/** @type {number} */ k) => Number.parseInt(CIVIDIS.substr(6 * k + 2 * c, 2), 16);
  const share = (n - stop(at)) / (stop(at + 1) - stop(at));
  return Math.round(value(at) + share * (value(at + 1) - value(at)));
}
