// A part's page: what it is, what is wrong with it, how it goes now, how it went, and what it was declared to be.

/** @import { Answer } from "../asking.js" */
/** @import { ArrowFigures, PartShown, Plan, PlanPart } from "../types.js" */
import { useAnswer } from "../asking.js";
import { Trouble } from "../elements/trouble.js";
import { judge } from "../findings.js";
import { rate } from "../format.js";
import { html, useEffect } from "../html.js";
import { figuresOf, pastRates, picture } from "../live.js";
import { Labels, Options, Schema, Source, Versions } from "../part/declared.js";
import { Findings } from "../part/findings.js";
import { Causes, Recent, Took } from "../part/past.js";
import { Facts } from "../plan/card.js";
import { Sparkline } from "../plan/sparkline.js";
import { to } from "../routes.js";

/** @param {{ name: string }} props */
export function Part({ name }) {
  /** @type {Answer<Plan>} */
  const plan = useAnswer("plan", {});
  useEffect(judge, []);
  if (!plan.value) return html`<${Trouble} wrong=${plan.wrong} again=${plan.again} />`;
  const part = plan.value.parts.find((one) => one.name === name);
  if (!part) return html`<p class="notice">No part is named ${name}. <a href=${to("plan")}>Go to the plan</a></p>`;
  return html`
    <div class="column broad">
      <header>
        <p class="kind">${part.kind.replace("_", " ")}</p>
        <h1>${part.name}</h1>
        ${part.about && html`<p>${part.about}</p>`}
        <p class="quiet code">${part.place}</p>
      </header>
      <${Findings} name=${name} />
      <${Whole} name=${name} />
    </div>
  `;
}

/** All that is asked for of one part. @param {{ name: string }} props */
function Whole({ name }) {
  /** @type {Answer<PartShown>} */
  const answer = useAnswer("part", { name });
  const part = answer.value;
  const journaled = part && !["topic", "table", "monitor", "source", "person"].includes(part.kind);
  return html`
    <div class="sides">
      <div class="side">
        ${part ? html`
          ${journaled && html`<${Took} part=${part} again=${answer.again} busy=${answer.busy} /><${Causes} part=${part} />`}
          ${(journaled || part.recent.length > 0) && html`<${Recent} part=${part} />`}
          <${Versions} part=${part} /><${Source} part=${part} />
        ` : html`<${Trouble} wrong=${answer.wrong} again=${answer.again} />`}
      </div>
      <div class="side">
        <${Now} name=${name} />
        ${part && html`<${Labels} part=${part} /><${Schema} title="Schema" schema=${part.schema} /><${Schema} title="Schema of the answer" schema=${part.answer_schema} /><${Options} part=${part} />`}
      </div>
    </div>
  `;
}

/** @param {{ name: string }} props */
function Now({ name }) {
  const figures = figuresOf(name);
  const arrows = picture.value?.arrows ?? [];
  return html`
    <section class="panel" aria-labelledby="now"><h2 id="now">Now</h2>
      ${figures ? html`<${Facts} figures=${figures} />` : html`<p class="quiet">Nothing was measured yet.</p>`}
      <${Sparkline} values=${pastRates(name)} />
      <${Neighbours} title="Used by" end="source" arrows=${arrows.filter((one) => one.target === name)} />
      <${Neighbours} title="Uses" end="target" arrows=${arrows.filter((one) => one.source === name)} />
    </section>
  `;
}

/** @param {{ title: string, end: "source" | "target", arrows: ArrowFigures[] }} props */
const Neighbours = ({ title, end, arrows }) =>
  arrows.length
    ? html`
        <h3>${title}</h3>
        <ul class="joined">
          ${arrows.map(
            (arrow) => html`<li key=${`${arrow[end]} ${arrow.kind}`}><a href=${to("parts", arrow[end])}>${arrow[end]}</a>
              <span class="quiet">${arrow.may ? "may " : ""}${arrow.kind}</span>
              <span>${arrow.rate_per_second ? rate(arrow.rate_per_second) : "–"}</span></li>`,
          )}
        </ul>
      `
    : null;
