// The reply to a question: a form made from the schema of its answer, who answers, and what became of it.

/** @import { Misfit } from "../forms/types.js" */
/** @import { Question } from "./types.js" */
import { Problem } from "../api.js";
import { SchemaForm, focusRefused } from "../forms/form.js";
import { fresh } from "../forms/schema.js";
import { html, useEffect, useSignal } from "../html.js";
import { named, person, rename } from "../person.js";
import { surely } from "../surely.js";
import { tell } from "../toasts.js";
import { discard, draft, drafts } from "./drafts.js";

const WHY = "The journal keeps who answered, and when.";

/** @param {{ question: Question, settled: (question: Question) => void, again: () => void }} props `again` looks at the question anew */
export function Reply({ question, settled, again }) {
  const misfits = useSignal(/** @type {Misfit[]} */ ([]));
  const refused = useSignal("");
  const sending = useSignal(false);
  const waits = useSignal(false);
  const over = useSignal(new AbortController());
  useEffect(() => () => over.value.abort(), []);
  const id = `answer-${question.id}`;
  const value = drafts.value.has(question.id) ? drafts.value.get(question.id) : fresh(question.schema, question.schema);

  /** @param {SubmitEvent} event */
  async function send(event) {
    event.preventDefault();
    if (sending.value) return;
    if (value === undefined) return refuse([{ field: [], error: "Give an answer." }]);
    const by = await named(WHY);
    if (!by) return;
    sending.value = true;
    refuse([]);
    try {
      const told = await surely("answer", { question: question.id, answer: value, by }, (away) => (waits.value = away), over.value.signal);
      discard(question.id);
      settled(told);
    } catch (problem) {
      refusedBy(problem);
    }
    sending.value = false;
  }

  /** @param {unknown} problem */
  function refusedBy(problem) {
    if (!(problem instanceof Problem)) return tell(problem);
    if (problem.misfits.length) return refuse(problem.misfits);
    refused.value = `${problem.code} ${problem.message}`;
    again();
  }

  /** @param {Misfit[]} found */
  function refuse(found) {
    misfits.value = found;
    refused.value = "";
    if (found.length) requestAnimationFrame(() => focusRefused(id));
  }

  return html`
    <form class="reply" onSubmit=${send} noValidate aria-label="Your answer">
      <${SchemaForm} schema=${question.schema} value=${value} set=${(/** @type {unknown} */ next) => draft(question.id, next)} misfits=${misfits.value} id=${id} label="Your answer" />
      ${refused.value && html`<p class="wrong" role="alert">${refused.value}</p>`}
      ${waits.value && html`<p class="waits" role="status">The server does not answer. Your answer is kept, and sent as soon as it is back.</p>`}
      <p class="acts">
        <button class="primary" disabled=${sending.value}>${sending.value ? "Sending" : "Answer"}</button>
        ${person.value && html`<span class="quiet">as <button type="button" class="link" onClick=${() => rename(WHY)}>${person.value}</button></span>`}
      </p>
    </form>
  `;
}
