// A run: where its time went, everything that it called, what it was given and gave, and what may be done to it.

/** @import { Answer } from "../asking.js" */
/** @import { RunShown } from "../types.js" */
import { useAnswer } from "../asking.js";
import { State } from "../elements/state.js";
import { Trouble } from "../elements/trouble.js";
import { When } from "../elements/when.js";
import { duration, money, short } from "../format.js";
import { html, useSignalEffect } from "../html.js";
import { useShortcuts } from "../keys.js";
import { picture } from "../live.js";
import { adjust, go, to } from "../routes.js";
import { Acts } from "../runs/acts.js";
import { Around } from "../runs/around.js";
import { Details, Wrong } from "../runs/details.js";
import { Happenings } from "../runs/happenings.js";
import { SharesBar } from "../runs/shares.js";
import { Waterfall } from "../runs/waterfall.js";

/** @param {{ id: string, query: URLSearchParams }} props */
export function Run({ id, query }) {
  /** @type {Answer<RunShown>} */
  const answer = useAnswer("run", { id });
  const run = answer.value;
  useSignalEffect(() => {
    if (picture.value && run?.open) answer.again();
  });
  useShortcuts([
    { keys: ["s"], words: "Its story", group: "A run", act: () => go("story", id) },
    { keys: ["u"], words: "Back to the list of runs", group: "A run", act: () => go("runs") },
  ]);
  if (!run) return html`<${Trouble} wrong=${answer.wrong} again=${answer.again} />`;
  const chosen = query.get("row") ?? "run";
  return html`
    <div class="column broad a-run">
      <${Head} run=${run} again=${answer.again} />
      ${run.error && html`<section aria-label="Why it failed"><${Wrong} error=${run.error} /></section>`}
      <section class="panel" aria-label="Where its time went"><${SharesBar} run=${run} /></section>
      <div class="sides">
        <div class="side">
          <${Waterfall} run=${run} chosen=${chosen} choose=${(/** @type {string} */ row) => adjust(row === "run" ? {} : { row })} />
          <${Happenings} run=${run} />
          <${Around} run=${run} />
        </div>
        <${Details} run=${run} chosen=${chosen} />
      </div>
    </div>
  `;
}

/** @param {{ run: RunShown, again: () => void }} props */
function Head({ run, again }) {
  const { line } = run;
  const facts = [
    ["Wall time", duration(run.wall_seconds)],
    ["At work", duration(line.busy_seconds)],
    ["Created", html`<${When} at=${line.created} />`],
    ["Started", html`<${When} at=${line.started} />`],
    ["Ended", html`<${When} at=${line.ended} />`],
    ["Attempt", line.attempt],
    ["Key", line.key && html`<span class="code">${line.key}</span>`],
    ["Tenant", line.tenant !== "main" && line.tenant],
    ["Spent", run.usd > 0 && money(run.usd)],
    ["Tokens", run.tokens > 0 && short(run.tokens)],
    ["Journal", `${run.entries.toLocaleString("en")} entries`],
  ].filter(([, value]) => value);
  return html`
    <header class="head">
      <div><p class="kind"><a href=${to("runs")}>Runs</a> / run of <a href=${to("parts", line.part)}>${line.part}</a></p>
        <h1 class="code">${line.id}</h1>
        <p><${State} state=${line.state} /></p></div>
      <div class="acts"><a class="secondary" href=${to("story", line.id)}>Story</a><${Acts} line=${line} done=${again} /></div>
    </header>
    <dl class="facts">${facts.map(([word, value]) => html`<div key=${word}><dt>${word}</dt><dd>${value}</dd></div>`)}</dl>
  `;
}
