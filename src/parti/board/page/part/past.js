// How a part went of late: how long it took, what went wrong grouped by cause, and the latest runs.

/** @import { Cause, PartShown } from "../types.js" */
import { When } from "../elements/when.js";
import { duration } from "../format.js";
import { html } from "../html.js";
import { picture } from "../live.js";
import { to } from "../routes.js";
import { RunTable } from "../runs/table.js";
import { Histogram } from "./histogram.js";

/** Kinds whose functions are runs. */
const RUNNERS = new Set(["handler", "endpoint", "schedule"]);

/** @param {{ part: PartShown, again: () => void, busy: boolean }} props */
export function Took({ part, again, busy }) {
  const goal = RUNNERS.has(part.kind) ? picture.value?.slo_p99_seconds ?? null : null;
  const slow = goal !== null && part.p99_seconds !== null && part.p99_seconds > goal;
  return html`
    <section class="panel" aria-labelledby="took" aria-busy=${busy}>
      <header class="head"><h2 id="took">How long it took</h2><button class="secondary small" onClick=${again} disabled=${busy}>Measure again</button></header>
      ${part.histogram.length ? html`
        <p><span class="quiet">p50</span> <strong>${duration(part.p50_seconds)}</strong> <span class="quiet">p99</span> <strong class=${slow ? "wrong" : ""}>${duration(part.p99_seconds)}${slow ? " ▲" : ""}</strong>
          ${goal !== null && html` <span class="quiet">of ${duration(goal)} promised</span>`}
          <span class="quiet"> in the latest ${part.looked_at.toLocaleString("en")} ${part.looked_at === 1 ? "run" : "runs"}</span></p>
        <${Histogram} buckets=${part.histogram} goal=${goal} />
      ` : html`<p class="quiet">Nothing was measured: no run of late has an end here.</p>`}
    </section>
  `;
}

/** @param {{ part: PartShown }} props */
export const Causes = ({ part }) => html`
  <section class="panel flush" aria-labelledby="errors"><h2 id="errors">Errors by cause</h2>
    ${part.errors.length ? html`
      <div class="wide"><table class="rows causes">
        <thead><tr><th scope="col" class="figure">Count</th><th scope="col">Error</th><th scope="col">Latest</th></tr></thead>
        <tbody>${part.errors.map((one) => html`<${Row} key=${`${one.code} ${one.message}`} cause=${one} />`)}</tbody>
      </table></div>
      ${RUNNERS.has(part.kind) && html`<p class="more"><a href=${to("runs", "", { part: part.name, state: "dead" })}>All dead runs of ${part.name}</a></p>`}
    ` : html`<p class="more quiet">No errors of late.</p>`}
  </section>
`;

/** @param {{ cause: Cause }} props */
const Row = ({ cause }) => html`
  <tr><td class="figure">${cause.count.toLocaleString("en")}</td>
    <td><a class="to code" href=${to("runs", cause.run)} aria-label=${`${cause.code} ${cause.message}: the latest run`}><strong class="wrong">${cause.code}</strong> ${cause.message}</a>
      <p class="quiet">since <${When} at=${cause.first_at} /></p></td>
    <td><${When} at=${cause.last_at} /></td></tr>
`;

/** @param {{ part: PartShown }} props */
export const Recent = ({ part }) => html`
  <section class="panel flush" aria-labelledby="recent"><h2 id="recent">Latest runs</h2>
    ${part.recent.length ? html`<${RunTable} runs=${part.recent} part=${!RUNNERS.has(part.kind)} />` : html`<p class="more quiet">None yet.</p>`}
    ${RUNNERS.has(part.kind) && part.recent.length > 0 && html`<p class="more"><a href=${to("runs", "", { part: part.name })}>All runs of ${part.name}</a></p>`}
  </section>
`;
