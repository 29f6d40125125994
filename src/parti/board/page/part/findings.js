// The findings of a part: what is wrong, along which way, why that matters, and how it is mended.

/** @import { Finding } from "../types.js" */
import { findings, unjudged } from "../findings.js";
import { html } from "../html.js";
import { to } from "../routes.js";

/** @param {{ name: string }} props */
export function Findings({ name }) {
  if (unjudged.value) return html`<section class="panel"><h2>Findings</h2><p class="quiet">The design could not be checked: ${unjudged.value.message}</p></section>`;
  const own = findings.value?.filter((one) => one.on === name) ?? [];
  if (!own.length) return null;
  return html`
    <section class="panel findings" aria-labelledby="findings"><h2 id="findings">Findings of <span class="code">parti check</span></h2>
      <ul>${own.map((one, index) => html`<${One} key=${`${one.code} ${index}`} finding=${one} />`)}</ul>
    </section>
  `;
}

/** @param {{ finding: Finding, on?: boolean }} props `on` says whether its part is told */
export const One = ({ finding, on = false }) => html`
  <li class=${finding.accepted ? "accepted" : finding.severity}>
    <p><strong>${finding.code}</strong> <span class="severity">${finding.accepted ? "accepted" : finding.severity}</span> ${on && html`<a class="on" href=${to("parts", finding.on)}>${finding.on}</a>: `}${finding.what}</p>
    ${finding.path.length > 0 && html`<${Way} finding=${finding} />`}
    ${finding.accepted
      ? html`<p class="quiet">Until ${finding.accepted.until}: ${finding.accepted.reason}</p>`
      : html`<p class="quiet">${finding.why} <span>(${finding.standard})</span></p><p>Try: ${finding.try}</p>`}
  </li>
`;

/** The way along which it goes wrong. @param {{ finding: Finding }} props */
export const Way = ({ finding }) => html`
  <ol class="way" aria-label="The way along which it goes wrong">
    ${finding.path.map((stage, index) => html`<li key=${index}>${stage.what} <span class="quiet code">${stage.place}</span></li>`)}
  </ol>
`;
