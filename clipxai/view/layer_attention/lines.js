// What is said of a query at this moment? Sentences that Python wrote, with the numbers of this
// state.
// @ts-check
import { fill, format } from "../browser/number.js";
import { rankOf } from "../browser/panel.js";
import { answersByHead, cellOf, evenly, meanDistance, strongest, tokenOf } from "./weights.js";

/** @import { Table } from "../browser/small_print.js" */
/** @import { AttentionHeader, AttentionState, Kind, Sight } from "./types.js" */
/** @import { Weights } from "./weights.js" */

/**
 * Who looks, or what is looked at.
 * @param {Pick<AttentionHeader, "grids">
 *   & {words: Record<"class" | "beside" | "place", string>}} header
 * @param {number} token
 * @param {boolean} [looks]
 */
export function placeOf({ grids, words }, token, looks = true) {
  if (!token) return looks ? words.class : words.beside;
  const { row, column } = cellOf(token, grids[0]);
  return fill(words.place, { row, column });
}

/**
 * The same, with the thing it lies on, where that is known.
 * @param {Parameters<typeof placeOf>[0] & Pick<AttentionHeader, "on">
 *   & {words: Record<"on_thing", string>}} header
 * @param {number} token
 * @param {boolean} [looks]
 */
export function nameOf(header, token, looks = true) {
  const [place, thing] = [placeOf(header, token, looks), token && header.on[token - 1]];
  return thing ? place + fill(header.words.on_thing, { thing }) : place;
}

/**
 * A weight, with its error of rounding if that reaches the digits shown.
 * @param {Record<"rough", string>} words
 * @param {number} value
 * @param {number} error
 */
export function written(words, value, error) {
  if (!(error > 0.0005 * value)) return format(value);
  return fill(words.rough, { value, error: Number(error.toPrecision(1)) });
}

/**
 * What a map has to say of the patch that is pointed at, or else of the query.
 * @param {AttentionHeader} header
 * @param {Weights} weights
 * @param {AttentionState} state
 * @param {Kind} kind
 * @param {Sight} sight
 */
export function readingOf(header, weights, { reading }, kind, { token, layer, head }) {
  const { grids, words, tokens } = header;
  const row = weights.row(kind.name, layer, token, head);
  const tell = (/** @type {number} */ to) => ({
    name: placeOf(header, to, false),
    times: row[to] * tokens,
  });
  const at = reading && tokenOf(reading, grids[0]);
  if (at) {
    const [rank, count] = [rankOf(row.subarray(1), row[at]), row.length - 1];
    return fill(words.reading, { ...tell(at), rank, count });
  }
  const most = fill(words.most, tell(strongest(row, token)));
  if (!token) return most;
  const distance = meanDistance(row, token, grids[0]);
  return most + fill(words.itself, { times: row[token] * tokens, distance });
}

/**
 * What is to be seen, above all: where a query looks most, or that it looks everywhere alike.
 * @param {Pick<AttentionHeader, "grids" | "words" | "layers" | "tokens" | "nearly_even" | "story"
 *   | "query" | "layer" | "kinds" | "on">} header
 * @param {Weights} weights
 * @param {Sight} sight
 */
export function storyOf(header, weights, { token, layer, head, kinds }) {
  const { words, layers, tokens, query } = header;
  const all = kinds.length === header.kinds.length;
  // the first one has its exact numbers from Python
  if (token === query && layer === header.layer && head === null && all) return header.story;
  /** @type {string[][]} */
  const [gazes, alike] = [[], []];
  for (const { name, label } of kinds) {
    const row = weights.row(name, layer, token, head);
    const even = evenly(row, token, header.nearly_even);
    const most = strongest(row, token);
    const place = { place: nameOf(header, most), kind: label, times: row[most] * tokens };
    if (even) {
      const { low, high } = even;
      alike.push(fill(words.alike, { kind: label, low: low * tokens, high: high * tokens }));
    } else gazes.push(fill(gazes.length ? words.gaze : words.first_gaze, place));
  }
  const told = {
    layer: layers[layer],
    who: nameOf(header, token),
    head: head === null ? "" : fill(words.story_head, { head }),
    alike: alike.join(", "),
  };
  const { height, width } = header.grids[0];
  if (token && height * width === 1) return fill(words.story_alone, told);
  if (!gazes.length) return fill(words.story_alike, told);
  const also = alike.length ? fill(words.also_alike, told) : "";
  return fill(words.story, { ...told, gazes: gazes.join(", at "), also });
}

/**
 * What a screen reader says.
 * @param {AttentionHeader} header
 * @param {Weights} weights
 * @param {AttentionState} state
 * @param {Sight} sight
 */
export function spoken(header, weights, state, sight) {
  const { layers, words } = header;
  const maps = sight.kinds.map((kind) => {
    const reading = readingOf(header, weights, state, kind, sight).replaceAll("\n", "; ");
    return fill(words.spoken_map, { kind: kind.label, reading });
  });
  const name = nameOf(header, sight.token);
  return fill(words.spoken, { name, layer: layers[sight.layer], maps: maps.join("; ") });
}

/**
 * What the query looks at most by the first kind, and what the others say of it.
 * @param {AttentionHeader} header
 * @param {Weights} weights
 * @param {Sight} sight
 * @returns {Table}
 */
export function tableOf(header, weights, { token, layer, head, kinds }) {
  const { layers, table, words, beside } = header;
  const maps = kinds.map((kind) => weights.row(kind.name, layer, token, head));
  const there = [...maps[0].keys()].filter((to) => to || beside);
  const order = there.sort((a, b) => maps[0][b] - maps[0][a]);
  const rows = order.slice(0, table.rows).map((to, rank) => {
    const numbers = kinds.map((kind, n) =>
      written(words, maps[n][to], weights.error(kind.name, layer, token, head, to)),
    );
    return [String(rank + 1), nameOf(header, to, false), ...numbers];
  });
  const names = kinds.map(({ label }) => label);
  const place = { name: nameOf(header, token), layer: layers[layer], kind: names[0] };
  return { title: fill(words.table_title, place), head: [...table.head, ...names], rows };
}

/**
 * Why a head that was chosen is not seen.
 * @param {AttentionHeader} header
 * @param {number} layer
 * @param {number} head
 */
export function missingHeads({ layers, headed, words }, layer, head) {
  const there = headed.length
    ? fill(words.heads_there, { layers: headed.join(", ") })
    : words.heads_nowhere;
  return fill(words.missing_heads, { head, there, layer: layers[layer] });
}

/**
 * What the colours mean at this moment.
 * @param {AttentionHeader} header
 * @param {AttentionState} state
 * @param {Sight} sight
 * @param {number} top end of the shared scale
 * @param {number} rolloutTop
 * @param {number} [poolTop] of what a pool's query reads, if there is one
 */
export function captionOf(header, state, sight, top, rolloutTop, poolTop) {
  const { layers, sinks, steps, words, notes, dropped, beside } = header;
  const { token, layer, head, kinds } = sight;
  const strips = token ? words.in_strips : "";
  const shared = kinds.length > 1 ? words.scale_of_kinds : words.scale_of_layers;
  const colour = fill(words.colour, {
    who: token ? fill(words.patch, { ...cellOf(token, header.grids[0]) }) : words.class,
    layer: layers[layer],
    heads: head === null ? words.mean_of_heads : fill(words.one_head, { head, strips }),
    scale: state.own ? words.own_scales : fill(shared, { top: top * header.tokens }),
  });
  const out = [
    ...(state.withoutSelf && token ? [words.the_query] : []),
    ...(state.withoutClass && beside ? [beside] : []),
    ...(state.withoutSinks && sinks.length ? [words.the_sinks] : []),
  ];
  const scale = state.own
    ? words.rollout_own
    : fill(words.rollout_shared, { top: rolloutTop * header.tokens });
  const hidesHead = state.head !== null && !answersByHead(header, layer, token);
  return [
    colour,
    out.length ? fill(words.left_out, { out: out.join(", ") }) : words.nothing_left_out,
    ...(sinks.length ? [words.sinks_note] : []),
    fill(words.rollout_note, { scale }),
    ...(poolTop === undefined || token
      ? []
      : [fill(words.pool_note, { top: poolTop * header.tokens })]),
    ...(hidesHead ? [missingHeads(header, layer, Number(state.head))] : []),
    ...notes,
    fill(words.steps, { steps }),
    ...dropped,
  ];
}
