// What happened to a run besides its calls: tries that failed, labels that it read, gates it came to, questions it put.

/** @import { RunShown } from "../types.js" */
import { State } from "../elements/state.js";
import { Value } from "../elements/value.js";
import { duration } from "../format.js";
import { html, useSignal } from "../html.js";
import { to } from "../routes.js";

/** Happenings that are shown before more are asked for. */
const PAGE = 40;

/** @param {{ run: RunShown }} props */
export function Happenings({ run }) {
  const most = useSignal(PAGE);
  const all = [...attempts(run), ...taints(run), ...gates(run), ...questions(run)].sort((one, other) => one.at - other.at);
  if (!all.length && !run.arrows_met.length) return null;
  const left = all.length - most.value;
  return html`
    <section class="panel happenings" aria-labelledby="happenings"><h2 id="happenings">What happened besides</h2>
      <ol>${all.slice(0, most.value).map((one) => html`
        <li key=${`${one.sort} ${one.at} ${one.key}`} class=${one.sort}><span class="quiet figure" title="After its creation">${duration(Math.max(0, one.at - run.begin))}</span> <div>${one.said}</div></li>
      `)}</ol>
      ${left > 0 && html`<button class="link" onClick=${() => (most.value += PAGE * 5)}>Show ${Math.min(left, PAGE * 5)} more of ${left}</button>`}
      ${run.arrows_met.length > 0 && html`<p class="quiet">It met arrows that the design does not draw: ${[...new Set(run.arrows_met)].slice(0, PAGE).join(", ")}.</p>`}
    </section>
  `;
}

/** @typedef {{ sort: string, at: number, key: string, said: unknown }} Happening */

/** @param {RunShown} run @returns {Happening[]} */
const attempts = (run) =>
  run.attempts.map((one) => ({
    sort: "attempt", at: one.until, key: String(one.number),
    said: html`<p><${State} state="failed" /> Attempt ${one.number}, after ${duration(one.until - one.at)}: <strong>${one.code}</strong></p><${Value} shown=${one.message} label="Error" />`,
  }));

/** @param {RunShown} run @returns {Happening[]} */
const taints = (run) =>
  run.taints.map((one, index) => ({
    sort: "taint", at: one.at, key: String(index),
    said: html`<p>What <a href=${to("parts", one.part)}>${one.part}</a> gave carries ${one.labels.map((label) => html`<span class="tag">${label.toUpperCase()}</span> `)}: the run is held to them from here on.</p>`,
  }));

/** @param {RunShown} run @returns {Happening[]} */
const gates = (run) =>
  run.gates.map((one, index) => ({
    sort: "gate", at: one.at, key: String(index),
    said: html`<p><${State} state=${one.then} /> at the gate before <a href=${to("parts", one.part)}>${one.part}</a></p><${Value} shown=${one.why} label="Why" />
      ${one.masked.length > 0 && html`<ul class="masks">${one.masked.slice(0, PAGE).map((each) => html`
        <li key=${each.field + each.label}><span class="code">${each.field}</span> <span class="tag">${each.label.toUpperCase()}</span> left as a token${each.times > 1 ? `, ${each.times} times` : ""}</li>`)}</ul>`}`,
  }));

/** @param {RunShown} run @returns {Happening[]} */
const questions = (run) =>
  run.questions.map((one) => ({
    sort: "question", at: one.asked, key: one.id,
    said: html`<p><${State} state=${one.state} /> <a href=${to("questions", one.id)}>Question to ${one.who}</a>${settled(one)}</p>
      <${Value} shown=${one.text} label="The question" />
      ${one.answer && html`<p class="quiet">Answer</p><${Value} shown=${one.answer} label="The answer" />`}`,
  }));

/** @param {RunShown["questions"][number]} question */
const settled = ({ by, answered, asked }) => (by || answered ? html`: ${by ? `by ${by}` : "settled"}${answered ? ` after ${duration(answered - asked)}` : ""}` : "");
