// Findings: all that `parti check` finds in the design that runs, the worst first.

import { Trouble } from "../elements/trouble.js";
import { findings, judge, unjudged } from "../findings.js";
import { html, useEffect } from "../html.js";
import { One } from "../part/findings.js";

export function All() {
  useEffect(judge, []);
  const all = findings.value;
  if (!all) return html`<${Trouble} wrong=${unjudged.value} again=${() => location.reload()} />`;
  const open = all.filter((one) => !one.accepted);
  const accepted = all.filter((one) => one.accepted);
  return html`
    <div class="column">
      <header><h1>Findings</h1><p class="quiet">What <span class="code">parti check</span> says of the design that runs here.</p></header>
      <section class="panel findings" aria-label="Open">${open.length ? html`<ul>${open.map((one, index) => html`<${One} key=${index} finding=${one} on=${true} />`)}</ul>` : html`<p>Nothing is wrong with it.</p>`}</section>
      ${accepted.length > 0 && html`<section class="panel findings" aria-labelledby="accepted"><h2 id="accepted">Accepted</h2><ul>${accepted.map((one, index) => html`<${One} key=${index} finding=${one} on=${true} />`)}</ul></section>`}
    </div>
  `;
}
