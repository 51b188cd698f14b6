// What is the open box called, what does it say, and which line of code shows more?
// @ts-check
import { fill } from "../browser/number.js";
import { focused } from "../browser/state.js";
import { askedPatch, followedPatch, lensAt, rowOf, shareOf } from "./numbers.js";
import { patchName } from "./word_drawers.js";

/** @import { OverviewArrays, OverviewHeader, OverviewState } from "./types.js" */

/**
 * @param {OverviewHeader} header
 * @param {OverviewState} state
 */
export function titleOf({ words, stream, layers, texts }, { box, layer, text }) {
  const name = {
    image: words.image_title,
    attention: stream ? words.attention_title : words.pool_title,
    ffn: words.ffn_title,
    stream: layer === layers - 1 ? words.end_title : words.stream_title,
    rail: stream ? words.rail_title : words.rail_pool_title,
    joint: words.joint_title,
    text: words.text_title,
  }[box];
  return fill(name, { layer, text: texts[text] });
}

/**
 * @param {OverviewHeader} header
 * @param {OverviewArrays} arrays
 * @param {OverviewState} state
 */
export function saysOf(header, arrays, state) {
  const { words } = header;
  const { box, layer, text, head } = state;
  const patch = followedPatch(header, state);
  const what = patchName(header, patch);
  if (box === "attention") {
    const asked = askedPatch(header, state);
    const row = rowOf(header, arrays, layer, head, asked);
    const mean = asked >= 0 && header.patch_heads === 1;
    const gaze =
      row &&
      fill(mean ? words.mean_gaze : words.gaze, { head, spread: row.spread, count: row.count });
    return [added("attention"), gaze].filter(Boolean).join("; ");
  }
  if (box === "ffn") return [added("ffn"), words.alone].filter(Boolean).join(". ");
  if (box === "text") return words.reads;
  if (box === "rail") {
    return fill(words.asked, { what: patchName(header, askedPatch(header, state, true)) });
  }
  const station = box === "joint" ? header.stations - 1 : box === "image" ? 0 : layer + 1;
  const at = Math.min(station, header.stations - 1);
  return fill(words.cosine_of, { what, value: lensAt(header, arrays, at, text, patch) });

  /** @param {"attention" | "ffn"} module */
  function added(module) {
    const share = shareOf(header, arrays, module, { first: layer, last: layer }, text, patch);
    return share === null ? "" : fill(words.adds_share, { share, what });
  }
}

/**
 * The line that opens the full viewer here; nothing where there is none.
 * @param {OverviewHeader} header
 * @param {OverviewState} state
 */
export function codeOf({ codes, rail_codes, rail, numbers }, state) {
  const { box, layer, head, setting } = state;
  const text = numbers[state.text];
  const cell = focused(state);
  if (box === "rail" && rail) {
    const own = setting & (2 ** rail.switches - 1);
    return rail_codes[own][setting >> rail.switches];
  }
  const heads = box === "attention" && !cell && codes.heads;
  const code = heads || (box === "image" && !cell ? codes.joint : codes[box]) || "";
  const query = cell ? `, query=(${cell.row}, ${cell.column})` : "";
  return fill(code, { layer, head, text, query, row: cell?.row ?? 0, column: cell?.column ?? 0 });
}
