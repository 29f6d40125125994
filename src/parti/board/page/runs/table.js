// Runs as rows of a table: each leads to its run.

/** @import { RunLine } from "../types.js" */
import { State } from "../elements/state.js";
import { When } from "../elements/when.js";
import { duration } from "../format.js";
import { html } from "../html.js";
import { to } from "../routes.js";

/** @param {{ runs: RunLine[], part?: boolean }} props `part` says whether the part is told */
export const RunTable = ({ runs, part = true }) => html`
  <div class="wide"><table class="rows runs">
    <thead><tr><th scope="col">State</th><th scope="col">Run</th>${part && html`<th scope="col">Part</th>`}<th scope="col">Key</th>
      <th scope="col">Created</th><th scope="col" class="figure" title="From its creation to its end, or to now">Wall time</th>
      <th scope="col" class="figure" title="While its function or what it called was at work">At work</th></tr></thead>
    <tbody>${runs.map((run) => html`<${Row} key=${run.id} run=${run} part=${part} />`)}</tbody>
  </table></div>
`;

/** @param {{ run: RunLine, part: boolean }} props */
const Row = ({ run, part }) => html`
  <tr>
    <td><${State} state=${run.state} />${run.attempt > 1 && html` <span class="quiet">attempt ${run.attempt}</span>`}</td>
    <td class="code"><a class="to" href=${to("runs", run.id)}>${run.id}</a>${run.error && html`<p class="wrong">${run.error}</p>`}</td>
    ${part && html`<td>${run.part}</td>`}
    <td class="code">${run.key}${run.key_masked && html` <span class="tag">masked</span>`}${run.tenant !== "main" && html` <span class="quiet">of ${run.tenant}</span>`}</td>
    <td><${When} at=${run.created} /></td>
    <td class="figure">${duration(run.wall_seconds)}</td>
    <td class="figure">${duration(run.busy_seconds)}</td>
  </tr>
`;
