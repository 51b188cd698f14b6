// What does the model as one picture look like?
// @ts-check

import { OUTLINE_STYLE } from "../browser/outlines.js";

export const OVERVIEW_STYLE = `
${OUTLINE_STYLE}
.model_overview .stage { display: block; padding: 4px; }
.model_overview .controls { margin-bottom: 4px; gap: 4px 14px; }
.model_overview .chip, .model_overview .save, .model_overview .question { min-height: 24px; }
.model_overview .question { width: 24px; }
.model_overview .chips { max-height: 60px; }
.model_overview.figure { padding: 8px 10px; }
.opening { font-size: 16px; line-height: 1.3; margin: 0 0 5px; font-weight: 600; display: grid; }
.opening > span { grid-area: 1 / 1; }
.diagram { position: relative; min-width: 564px; }
.model_overview .wide { overflow-x: auto; padding: 3px; margin: -3px; }
.diagram .wires { position: absolute; inset: 0; pointer-events: none; overflow: visible; }
.wires path { fill: none; stroke: var(--line); }
.wires .way { stroke-width: 3; stroke: var(--quiet); }
.wires .second { stroke-width: 3; stroke: var(--second); }
.wires .values { stroke: var(--second); stroke-dasharray: 3 3; }
.wires:not(.own) .values { display: none; }
.wires .tip { fill: var(--quiet); stroke: none; }
.wires .adds { stroke: var(--line); opacity: 0.9; }
.wires .adds.plus { stroke: var(--plus); }
.wires .adds.minus { stroke: var(--minus); }
.figure { --second: #1b7f5f; }
.figure[data-theme="dark"] { --second: #4fc79e; }
.diagram .left { position: absolute; left: 0; top: 0; width: var(--photo); z-index: 2; }
.diagram .left .picture { width: min(100%, calc(1.2 * var(--photo) * var(--aspect))); }
.diagram .patches { position: absolute; pointer-events: none; background-image:
  linear-gradient(#fff5 1px, transparent 1px), linear-gradient(90deg, #fff5 1px, transparent 1px); }
.switches { display: grid; margin-top: 4px; }
.switches b { color: var(--second); font-size: 13px; line-height: 18px; }
.switches label {
  display: flex; align-items: center; gap: 5px; min-height: 24px; font-size: 12px; cursor: pointer;
  white-space: nowrap;
}
.switches input { width: 16px; height: 16px; margin: 0; accent-color: var(--second); }
.boxes .box {
  position: absolute; padding: 0; margin: 0; font: inherit; font-size: 12px; color: var(--text);
  background: var(--page); border: 1px solid var(--line); border-radius: 5px; cursor: pointer;
  overflow: hidden;
}
.boxes .box:hover { border-color: var(--accent); }
.boxes .box:focus-visible { outline-offset: 0; z-index: 3; }
.boxes .box[aria-expanded="true"] {
  border-color: var(--chosen); box-shadow: 0 0 0 2px var(--chosen); z-index: 2;
}
.boxes .rail { border-color: var(--second); color: var(--second); font-weight: 600; }
.boxes .text { padding: 0 4px; }
.boxes .joint { border-color: var(--accent); line-height: 1.1; }
.boxes .joint b { display: block; font-size: 21px; font-variant-numeric: tabular-nums; }
.boxes canvas.small { width: 100%; height: 100%; display: block; }
canvas.small { image-rendering: pixelated; }
.boxes .attention span, .boxes .ffn span { position: absolute; top: 1px; left: 0; right: 0; }
.boxes .attention::before, .boxes .ffn::before {
  content: ""; position: absolute; left: 0; right: 0; top: 58%; border-top: 1px solid var(--line);
}
.boxes .box i { position: absolute; left: 22%; right: 22%; }
.boxes i.plus { bottom: 42%; background: var(--plus); }
.boxes i.minus { top: 58%; background: var(--minus); }
.boxes .label { position: absolute; font-size: 12px; line-height: 16px; color: var(--quiet); }
.boxes .tick { text-align: center; white-space: nowrap; font-variant-numeric: tabular-nums; }
.boxes .under { text-align: center; margin-left: -2px; }
.boxes .over { white-space: nowrap; color: var(--text); }
.boxes .tower {
  text-align: center; border: 1px solid var(--line); border-radius: 5px; padding: 6px;
  background: var(--page);
}
.boxes .box .stack { display: flex; gap: 3px; justify-content: center; margin-top: 3px; }
.boxes .box .stack i { position: static; flex: 0 1 8px; height: 8px; background: var(--quiet); }
.spelled {
  position: absolute; top: 76px; display: flex; flex-wrap: wrap; gap: 3px; overflow-y: auto;
}
.word {
  font: inherit; font-size: 12px; min-height: 24px; min-width: 24px; padding: 0 6px;
  color: var(--text); background: var(--page); border: 1px solid var(--line); border-radius: 4px;
  cursor: pointer; max-width: 100%; overflow: hidden; text-overflow: ellipsis;
}
.word[aria-pressed="true"] {
  border-color: var(--accent); box-shadow: inset 0 0 0 1px var(--accent);
}
.drawer {
  position: relative; margin-top: 12px; padding: 6px 10px 8px; border: 2px solid var(--chosen);
  border-radius: 6px;
}
.drawer .notch {
  position: absolute; top: -15px; margin-left: -8px; font-size: 16px; line-height: 16px;
  color: var(--chosen);
}
.drawer .head-line { display: flex; gap: 0 14px; align-items: baseline; }
.drawer .head-line > * { white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.drawer .head-line b { font-size: 15px; flex: none; max-width: 55%; }
.drawer .head-line span { font-variant-numeric: tabular-nums; min-width: 0; }
.opened { display: flex; gap: 16px; align-items: flex-start; margin: 6px 0 4px; height: 172px; }
.inner { display: contents; }
.large { margin: 0; flex: 0 0 auto; }
.large .picture { width: calc(144px * min(1, var(--aspect))); }
.large .picture:not(.grey) img { filter: none; }
.large .picture.grey img { filter: grayscale(1); }
.large .map { opacity: 0.7; }
.large .line {
  display: block; font-size: 12px; text-align: center; font-variant-numeric: tabular-nums;
}
.large.chosen .picture { outline: 2px solid var(--chosen); }
.piece { width: 120px; height: 120px; image-rendering: pixelated; display: block; margin: 0 auto; }
.heads {
  display: flex; flex-wrap: wrap; gap: 4px; max-height: 168px; overflow-y: auto; padding: 2px;
  max-width: 260px; flex: 0 1 auto;
}
.head {
  font: inherit; font-size: 12px; width: 60px; padding: 2px; color: var(--text);
  background: var(--page); border: 1px solid var(--line); border-radius: 4px; cursor: pointer;
  font-variant-numeric: tabular-nums;
}
.head canvas { width: 100%; display: block; }
.head[aria-pressed="true"] { border-color: var(--chosen); box-shadow: 0 0 0 1px var(--chosen); }
.steps { margin: 0; flex: 1 1 auto; max-width: 560px; }
.steps caption { caption-side: bottom; padding: 2px 0 0; }
.steps th { font-weight: 400; color: var(--quiet); }
.steps td, .steps th { padding: 0 10px 0 0; height: 25px; }
.steps td:first-child, .steps th:first-child { text-align: left; }
.crop { width: 22px; height: 22px; vertical-align: middle; margin-right: 6px; border-radius: 2px; }
.steps .track { position: relative; min-width: 110px; text-align: left; }
.steps .track i {
  position: absolute; left: 0; top: 4px; bottom: 4px;
  background: color-mix(in srgb, var(--accent) 35%, transparent);
}
.steps .track span { position: relative; padding-left: 4px; }
.chart { flex: 1 1 300px; height: 164px; min-width: 0; font-size: 12px; }
.chart path { fill: none; stroke: var(--line); }
.chart text { fill: var(--text); stroke: none; }
.chart .end { text-anchor: end; } .chart .mid { text-anchor: middle; fill: var(--quiet); }
.chart path.model { stroke: var(--text); stroke-width: 2; }
.chart circle.model { fill: var(--text); }
.chart path.rail { stroke: var(--second); stroke-width: 2; }
.chart circle.rail, .chart text.rail { fill: var(--second); }
.chart path.open { stroke: var(--chosen); stroke-width: 2; stroke-dasharray: 4 3; }
.reading td, .reading th { padding: 1px 8px; text-align: center; max-width: 120px; height: 24px; }
.reading td { background: color-mix(in srgb, var(--accent) var(--share, 0%), transparent); }
.reading [aria-current="true"] {
  box-shadow: inset 2px 0 var(--chosen), inset -2px 0 var(--chosen);
}
.reading .stop { text-align: left; background: none; }
.joined { flex: 1 1 auto; max-height: 168px; overflow-y: auto; }
.angle { width: 150px; height: 130px; flex: none; font-size: 12px; }
.angle path { fill: none; stroke: var(--quiet); }
.angle text { text-anchor: middle; fill: var(--text); }
.angle path.one, .angle path.other { stroke-width: 2.5; }
.angle path.one { stroke: var(--accent); } .angle circle.one { fill: var(--accent); }
.angle path.other { stroke: var(--plus); } .angle circle.other { fill: var(--plus); }
.joined p { margin: 0 0 4px; }
.text-row { margin-bottom: 4px; } .text-row[data-current] > b { color: var(--chosen); }
.cosine-row { display: flex; align-items: center; gap: 8px; font-size: 12px; }
.cosine-row > span:first-child { width: 130px; }
.cosine-row .track { width: 320px; height: 12px; border: 1px solid var(--line); }
.cosine-row i { display: block; height: 100%; }
.cosine-row i.plus { background: var(--plus); } .cosine-row i.minus { background: var(--minus); }
.show-me { display: flex; align-items: center; gap: 8px; font-size: 12px; min-height: 24px; }
.show-me code {
  font-family: var(--jp-code-font-family, monospace); font-size: 12px; overflow-x: auto;
  white-space: nowrap; min-width: 0; padding: 3px 6px; border: 1px solid var(--line);
  border-radius: 4px; user-select: all;
}
.show-me button { min-height: 24px; flex: none; }
.show-me b { white-space: nowrap; }
.notes p { font-size: 12px; color: var(--quiet); margin: 3px 0 0; max-width: 130ch; }
.model_overview.figure.compact { padding: 4px; }
.figure.compact {
  .opening { font-size: 13px; line-height: 1.25; margin-bottom: 1px; }
  .drawer .head-line b { font-size: 13px; }
  .drawer .head-line span { font-size: 12px; }
  .large .picture { width: calc(96px * min(1, var(--aspect))); }
  .opened { height: 130px; gap: 10px; margin: 3px 0 2px; }
  .joined { max-height: 128px; }
  .heads { max-height: 124px; max-width: 212px; } .head { width: 48px; }
  .drawer { margin-top: 6px; padding: 3px 8px 4px; }
  .steps td, .steps th { height: 22px; padding: 0 6px 0 0; }
  .steps tr:nth-child(5) { display: none; }
  .chart { height: 118px; } .piece { width: 96px; height: 96px; }
  .switches b { display: none; }
}
@container (max-width: 640px) {
  .opened { overflow-x: auto; }
  .drawer .head-line { display: block; max-height: 40px; overflow: hidden; }
  .drawer .head-line b {
    display: inline-block; max-width: 100%; margin-right: 8px; vertical-align: bottom;
  }
  .drawer .head-line span { display: inline; white-space: normal; }
  .boxes .tower { padding: 6px 2px; }
  .figure.compact .heads { max-width: 108px; max-height: 130px; }
  .figure.compact .head { width: 50px; padding: 1px; } .head canvas { padding: 0 4px; }
  .steps .track { min-width: 56px; } .cosine-row .track { width: 160px; }
}
@container (max-width: 540px) { .drawer .head-line { max-height: none; } }
@container (max-width: 520px) {
  .opened, .figure.compact .opened { flex-wrap: wrap; height: auto; overflow-x: auto; }
  .drawer .notch { display: none; }
}
@media (forced-colors: active) {
  .boxes .box[aria-expanded="true"], .word[aria-pressed="true"], .head[aria-pressed="true"] {
    outline: 3px solid Highlight;
  }
  .boxes i, .steps .track i, .cosine-row i, .boxes canvas { forced-color-adjust: none; }
}
@media print {
  .model_overview .controls, .model_overview .show-me, .notes { display: none; }
  .drawer, .diagram { break-inside: avoid; }
}
`;
