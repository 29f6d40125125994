// One question with all that a person needs to decide: what is asked, what it is about, what the run did so far, and what it has read.

/** @import { Question } from "./types.js" */
import { State } from "../elements/state.js";
import { Value } from "../elements/value.js";
import { When } from "../elements/when.js";
import { html } from "../html.js";
import { to, toEvent } from "../routes.js";
import { Left } from "./list.js";
import { Reply } from "./reply.js";

/** @param {{ question: Question, settled: (question: Question) => void, again: () => void }} props */
export const Detail = ({ question, settled, again }) => html`
  <article class="asked" aria-labelledby="asked-title">
    <header class="panel">
      <p class="kind">Question for ${question.who}</p>
      <h2 id="asked-title" class="asked-words"><${Words} text=${String(question.text.value ?? "")} cut=${question.text.cut} /></h2>
      <p class="quiet">
        Asked <${When} at=${question.asked} />${question.run && html` by <a href=${to("runs", question.run.id)}>${question.run.part}${question.run.key && ` · ${question.run.key}`}</a>`}${question.deadline !== null && html` · until <${When} at=${question.deadline} />`}
        ${question.state === "open" && html` · <${Left} question=${question} />`}
      </p>
      ${question.state === "open" ? html`<${Reply} key=${question.id} question=${question} settled=${settled} again=${again} />` : html`<${Settled} question=${question} />`}
    </header>
    <${Reading} question=${question} />
    ${question.event && html`
      <section class="panel"><h2>The event <a href=${toEvent(question.event)}>${question.event.topic} ${question.event.partition}:${question.event.offset}</a></h2>
        <${Value} shown=${question.event.payload} label="The event" /></section>
    `}
    ${question.arguments && html`<section class="panel"><h2>What the run was called with</h2><${Value} shown=${question.arguments} label="Arguments" /></section>`}
    ${question.so_far.length > 0 && html`
      <section class="panel"><h2>The run so far</h2>
        <ol class="so-far">
          ${question.so_far.map((one, index) => html`
            <li key=${index}><p><strong>${one.part}</strong> <span class="quiet">${one.kind.toLowerCase()} · <${When} at=${one.at} /></span></p><${Value} shown=${one.answer} label=${`Answer of ${one.part}`} /></li>
          `)}
        </ol>
      </section>
    `}
  </article>
`;

const LONGEST = 1200;

/** The words of a question, with their lines; very long ones open. @param {{ text: string, cut: number }} props */
function Words({ text, cut }) {
  if (text.length <= LONGEST) return html`${text || "(no words)"}`;
  return html`${text.slice(0, LONGEST)}…<details><summary>All ${(text.length + cut).toLocaleString("en")} characters</summary>${text.slice(LONGEST)}${cut > 0 && "…"}</details>`;
}

/** @param {{ question: Question }} props */
const Settled = ({ question }) => html`
  <div class="outcome" role="status">
    <p><${State} state=${question.state} /> ${question.by && html`by <strong>${question.by}</strong>`} ${question.answered !== null && html`<${When} at=${question.answered} />`}</p>
    ${question.answer && html`<${Value} shown=${question.answer} label="The answer" />`}
    ${question.state === "expired" && html`<p class="quiet">Nobody answered in time: the run went on with its default, or failed.</p>`}
    ${question.state === "withdrawn" && html`<p class="quiet">The run ended, and nobody needs to answer any more.</p>`}
  </div>
`;

/** What the run has read before it asked, where a label says that it matters. @param {{ question: Question }} props */
const Reading = ({ question }) =>
  question.provenance.length
    ? html`
        <section class="panel"><h2>What it rests on</h2>
          <ul class="rests">${question.provenance.map((one) => html`<li key=${one.label}><span class="tag">${one.label.toUpperCase()}</span> first read from <a href=${to("parts", one.part)}>${one.part}</a></li>`)}</ul>
        </section>
      `
    : null;
