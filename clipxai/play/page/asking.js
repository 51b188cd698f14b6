// How does the page ask the model? Two threads run it: one answers what is shown, always the latest
// question; the other finds out what would be without each thing, once the page has come to rest.
// @ts-check

/** @import { Answer, Asked, Effects, WhatIf } from "../engine/answers.js" */
/** @import { ModelHeader } from "../engine/model.js" */
/** @import { Question, Reply } from "../engine/worker.js" */
/** @typedef {{asked: Asked, whatIf: () => WhatIf}} Query */

const AT_REST = 150; // milliseconds

/**
 * @param {string} engine its program
 * @param {ModelHeader} model
 * @param {Uint8Array} weights
 * @param {object} on
 * @param {(answer: Answer, asked: Asked) => void} on.answer
 * @param {(effects: Effects, asked: Asked) => void} on.effects
 * @param {(message: string) => void} on.failed
 */
export function createModel(engine, model, weights, on) {
  const program = URL.createObjectURL(new Blob([engine], { type: "text/javascript" }));
  const failed = (/** @type {ErrorEvent} */ event) => on.failed(event.message);
  const started = () => {
    const worker = new Worker(program);
    const copy = weights.slice().buffer;
    worker.addEventListener("error", failed);
    tell(worker, { kind: "model", header: model, weights: copy }, [copy]);
    return worker;
  };
  const looking = started();
  /** @type {Worker | null} */
  let wondering = null;
  /** @type {(() => Query) | null} */
  let wanted = null; // put together only when there is time for it
  /** @type {Query | null} */
  let running = null;
  /** @type {Asked | null} */
  let wondered = null;
  let timer = 0;

  const next = () => {
    if (running || !wanted) return;
    running = wanted();
    wanted = null;
    tell(looking, { kind: "look", asked: running.asked });
  };
  const wonder = (/** @type {Query} */ settled) => {
    if (wondered) {
      timer = window.setTimeout(() => wonder(settled), AT_REST);
      return;
    }
    if (!wondering) {
      wondering = started();
      wondering.addEventListener("message", heardEffects);
    }
    wondered = settled.asked;
    tell(wondering, { kind: "effects", asked: settled.whatIf() });
  };
  /** @param {MessageEvent<Reply>} event */
  const heard = ({ data }) => {
    if (data.kind === "failed") on.failed(data.message);
    if (data.kind === "model" || !running) return;
    const done = running;
    running = null;
    if (data.kind === "look") on.answer(data.answer, done.asked);
    // the next question is put together in a task of its own, as both together hold the page up
    if (wanted) setTimeout(next);
    else if (!running && data.kind === "look")
      timer = window.setTimeout(() => wonder(done), AT_REST);
  };
  /** @param {MessageEvent<Reply>} event */
  const heardEffects = ({ data }) => {
    if (data.kind === "failed") on.failed(data.message);
    if (data.kind === "model" || !wondered) return;
    const asked = wondered;
    wondered = null;
    if (data.kind === "effects") on.effects(data.answer, asked);
  };
  looking.addEventListener("message", heard);
  return {
    /** @param {() => Query} query */
    ask(query) {
      clearTimeout(timer);
      wanted = query;
      next();
    },
    close() {
      clearTimeout(timer);
      looking.terminate();
      wondering?.terminate();
      URL.revokeObjectURL(program);
    },
  };
}

/**
 * @param {Worker} worker
 * @param {Question} question
 * @param {Transferable[]} [moved]
 */
function tell(worker, question, moved = []) {
  worker.postMessage(question, moved);
}
