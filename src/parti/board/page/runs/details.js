// The details of what is chosen in a waterfall: of a call, of time that no call has, or of the run itself.

/** @import { Bar, ErrorShown, RunShown } from "../types.js" */
import { Value } from "../elements/value.js";
import { State } from "../elements/state.js";
import { When } from "../elements/when.js";
import { duration, money, short } from "../format.js";
import { html } from "../html.js";
import { to, toEvent } from "../routes.js";
import { SHARES } from "./shares.js";

/** @param {{ run: RunShown, chosen: string }} props */
export function Details({ run, chosen }) {
  const bar = run.bars.find((one) => String(one.index) === chosen);
  if (bar) return html`<${Call} key=${chosen} run=${run} bar=${bar} />`;
  const share = SHARES.find(([what]) => what === chosen);
  if (share) return html`<${Nobodys} run=${run} share=${share} />`;
  return html`<${Whole} run=${run} />`;
}

/** @param {{ run: RunShown }} props */
const Whole = ({ run }) => html`
  <aside class="panel details" aria-label="About the run">
    ${run.origin && html`<h3>Event <a href=${toEvent(run.origin)}>${run.origin.topic} ${run.origin.partition}/${run.origin.offset}</a></h3>
      ${run.origin.old_schema && html`<p class="quiet">It was written under another type than today's.</p>`}
      <${Value} shown=${run.origin.payload} label="The event" />`}
    ${run.arguments && html`<h3>Arguments</h3><${Value} shown=${run.arguments} label="Arguments" />`}
    ${run.result && html`<h3>Result</h3><${Value} shown=${run.result} label="Result" />`}
    ${run.line.topic && !run.origin && html`<p class="quiet">Its event has expired.</p>`}
    ${!run.line.topic && !run.arguments && !run.result && html`<p class="quiet">It was given nothing, and gave nothing.</p>`}
  </aside>
`;

/** @param {{ run: RunShown, share: [import("../types.js").Share, string, string] }} props */
const Nobodys = ({ run, share: [what, word, means] }) => html`
  <aside class="panel details" aria-label=${`About ${word}`}>
    <h2>${word}</h2><p>${means}.</p>
    <p><strong>${duration(run.shares[`${what}_seconds`])}</strong> of ${duration(run.wall_seconds)}</p>
  </aside>
`;

/** @param {{ run: RunShown, bar: Bar }} props */
function Call({ run, bar }) {
  const facts = [
    ["State", html`<${State} state=${bar.state} />`],
    ["Began after", duration(Math.max(0, bar.at - run.begin))],
    ["Took", duration(bar.until - bar.at)],
    ["In line", bar.in_line_seconds > 0 && duration(bar.in_line_seconds)],
    ["At work", bar.working_seconds > 0 && duration(bar.working_seconds)],
    ["Waiting", bar.waiting_seconds > 0 && duration(bar.waiting_seconds)],
    ["Attempt", (bar.attempt > 1 || bar.attempts > 1) && (bar.attempts > 1 ? `${bar.attempts} tries` : `in attempt ${bar.attempt}`)],
    ["Batch", bar.batch > 1 && `${bar.batch} at once`],
    ["Version", bar.version],
    ["Tokens", bar.tokens > 0 && short(bar.tokens)],
    ["Spent", bar.usd > 0 && money(bar.usd)],
    ["At", html`<${When} at=${bar.at} />`],
  ].filter(([, value]) => value);
  const silent = bar.output?.value === null && ["table", "topic"].includes(bar.kind);
  const linked = !["person", "timer"].includes(bar.kind);
  return html`
    <aside class="panel details" aria-label=${`About ${bar.part}`}>
      <p class="kind">${bar.kind}</p>
      <h2>${linked ? html`<a href=${to("parts", bar.part)}>${bar.part}</a>` : bar.part}</h2>
      <dl class="facts">${facts.map(([word, value]) => html`<div><dt>${word}</dt><dd>${value}</dd></div>`)}</dl>
      ${bar.question && html`<p><a href=${to("questions", bar.question)}>The question</a></p>`}
      ${bar.error && html`<${Wrong} error=${bar.error} />`}
      <h3>Given</h3><${Value} shown=${bar.input} label="Given" />
      ${!bar.error && !silent && html`<h3>Answered</h3><${Value} shown=${bar.output} label="Answered" />`}
      ${bar.branch && html`<p class="quiet code">branch ${bar.branch}</p>`}
    </aside>
  `;
}

/** An error: its code, what happened, where, and what to do. @param {{ error: ErrorShown }} props */
export const Wrong = ({ error }) => html`
  <div class="fault" role="group" aria-label="Error">
    <p><strong>${error.code}</strong></p>
    <${Value} shown=${error.message} label="What happened" />
    ${error.place && html`<p class="code quiet">at ${error.place}</p>`}
    ${error.fix && html`<p>Try: ${error.fix}</p>`}
  </div>
`;
