// Where does the model run? In a thread of its own, so that the page never waits.
// @ts-check
import { createAnswers } from "./answers.js";
import { modelOf } from "./model.js";

/** @import { Answer, Asked, Effects, WhatIf } from "./answers.js" */
/** @import { ModelHeader } from "./model.js" */
/**
 * @typedef {{kind: "model", header: ModelHeader, weights: ArrayBuffer}} Start
 * @typedef {Start | {kind: "look", asked: Asked} | {kind: "effects", asked: WhatIf}} Question
 * @typedef {{kind: "look", answer: Answer} | {kind: "effects", answer: Effects}
 *   | {kind: "model"} | {kind: "failed", message: string}} Reply
 */

/** @type {ReturnType<typeof createAnswers> | null} */
let answers = null;

/**
 * @param {Question} question
 * @returns {Reply}
 */
function replyTo(question) {
  if (question.kind === "model") {
    answers = createAnswers(modelOf(question.header, new Uint16Array(question.weights)));
    return { kind: "model" };
  }
  if (!answers) throw new Error("asked before there was a model");
  if (question.kind === "look") return { kind: "look", answer: answers.answer(question.asked) };
  return { kind: "effects", answer: answers.effects(question.asked) };
}

/** @param {MessageEvent<Question>} event */
onmessage = ({ data }) => {
  /** @type {Reply} */
  let reply;
  try {
    reply = replyTo(data);
  } catch (error) {
    reply = { kind: "failed", message: error instanceof Error ? error.message : String(error) };
  }
  postMessage(reply);
};
