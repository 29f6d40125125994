// A part's page: what it is, how it goes, and what it is joined to.

/** @import { ArrowFigures, Plan, PlanPart } from "../types.js" */
import { ask } from "../api.js";
import { rate } from "../format.js";
import { html, useEffect, useSignal } from "../html.js";
import { figuresOf, pastRates, picture } from "../live.js";
import { Facts } from "../plan/card.js";
import { Sparkline } from "../plan/sparkline.js";
import { to } from "../routes.js";
import { tell } from "../toasts.js";

/** @param {{ name: string }} props */
export function Part({ name }) {
  const plan = useSignal(/** @type {Plan | null} */ (null));
  useEffect(() => void ask("plan").then((shown) => (plan.value = shown), tell), []);
  if (!plan.value) return html`<p class="notice" role="status">Reading</p>`;
  const part = plan.value.parts.find((one) => one.name === name);
  if (!part) return html`<p class="notice">No part is named ${name}. <a href=${to("plan")}>Go to the plan</a></p>`;
  const figures = figuresOf(name);
  const arrows = picture.value?.arrows ?? [];
  return html`
    <div class="column">
      <header>
        <p class="kind">${part.kind.replace("_", " ")}</p>
        <h1>${part.name}</h1>
        ${part.about && html`<p>${part.about}</p>`}
        <p class="quiet code">${part.place}</p>
      </header>
      <section aria-labelledby="now"><h2 id="now">Now</h2>
        ${figures ? html`<${Facts} figures=${figures} />` : html`<p class="quiet">Nothing was measured yet.</p>`}
        <${Sparkline} values=${pastRates(name)} />
      </section>
      <${Neighbours} title="Used by" end="source" arrows=${arrows.filter((one) => one.target === name)} />
      <${Neighbours} title="Uses" end="target" arrows=${arrows.filter((one) => one.source === name)} />
    </div>
  `;
}

/** @param {{ title: string, end: "source" | "target", arrows: ArrowFigures[] }} props */
const Neighbours = ({ title, end, arrows }) =>
  arrows.length
    ? html`
        <section><h2>${title}</h2>
          <ul class="joined">
            ${arrows.map(
              (arrow) => html`<li><a href=${to("parts", arrow[end])}>${arrow[end]}</a>
                <span class="quiet">${arrow.may ? "may " : ""}${arrow.kind}</span>
                <span>${arrow.rate_per_second ? rate(arrow.rate_per_second) : "–"}</span></li>`,
            )}
          </ul>
        </section>
      `
    : null;
