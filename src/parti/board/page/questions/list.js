// The list of questions: what each is about, who is asked, and until when.

/** @import { Question } from "./types.js" */
import { State } from "../elements/state.js";
import { When } from "../elements/when.js";
import { duration } from "../format.js";
import { html } from "../html.js";
import { to } from "../routes.js";

/** A deadline nearer than that is told in amber, in seconds. */
const SOON = 3600;
const LONGEST = 160;

/** @param {{ questions: Question[], chosen: string, query: string }} props */
export const List = ({ questions, chosen, query }) => html`
  <ul class="asked-list">
    ${questions.map((one) => html`
      <li key=${one.id}>
        <a href=${to("questions", one.id) + query} aria-current=${one.id === chosen ? "true" : undefined}>
          <strong>${brief(one)}</strong>
          <span class="quiet">for ${one.who}${one.run ? ` · ${one.run.part}` : ""} · <${When} at=${one.asked} /></span>
          ${one.state === "open" ? html`<${Left} question=${one} />` : html`<span class="settled"><${State} state=${one.state} />${one.by && html` <span class="quiet">by ${one.by}</span>`}</span>`}
        </a>
      </li>
    `)}
  </ul>
`;

/** The beginning of what is asked. @param {Question} question */
export function brief(question) {
  const text = String(question.text.value ?? "");
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text || "(no words)";
}

/** How long there is left. @param {{ question: Question }} props */
export function Left({ question }) {
  if (question.deadline === null) return html`<span class="quiet">no deadline</span>`;
  const left = question.left_seconds ?? 0;
  return html`<span class=${left < SOON ? "soon" : "quiet"}>${left > 0 ? `${duration(left)} left` : "its time is up"}</span>`;
}
