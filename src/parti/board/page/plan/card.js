// The card of the part that is looked at: what it is, how it goes, and what it is joined to.

/** @import { ArrowFigures, PartFigures, PlanPart } from "../types.js" */
/** @import { Stage } from "./stage.js" */
import { duration, percent, rate, short, spend } from "../format.js";
import { counted } from "../findings.js";
import { html } from "../html.js";
import { earlier, figuresOf, pastRates, picture } from "../live.js";
import { Way } from "../part/findings.js";
import { Sparkline } from "./sparkline.js";

/** Findings that a card shows; the part's page has all. */
const FINDINGS = 2;

/** @param {{ stage: Stage, parts: PlanPart[] }} props */
export function Card({ stage, parts }) {
  const part = parts.find((one) => one.name === stage.chosen.value);
  if (!part) return null;
  const figures = figuresOf(part.name);
  const arrows = picture.value?.arrows ?? [];
  return html`
    <aside class=${`card ${stage.isRight(part.name) ? "left" : ""}`} aria-label=${`About ${part.name}`}>
      <p class="kind">${part.kind.replace("_", " ")}</p>
      <h2>${part.name}</h2>
      ${part.about && html`<p>${part.about}</p>`}
      <p class="quiet code">${part.place}</p>
      ${figures && html`<${Facts} figures=${figures} />`}
      ${counted(part.name).slice(0, FINDINGS).map((one) => html`<div class="found" key=${one.code + one.what}><p><strong>${one.code}</strong> ${one.what}</p><${Way} finding=${one} /></div>`)}
      ${!earlier.value && html`<${Sparkline} values=${pastRates(part.name)} />`}
      <${Joined} title="Used by" arrows=${arrows.filter((one) => one.target === part.name)} end="source" />
      <${Joined} title="Uses" arrows=${arrows.filter((one) => one.source === part.name)} end="target" />
      <p class="quiet">Click, or Enter, opens its page.</p>
    </aside>
  `;
}

/** The figures of a part as pairs of a word and a value. @param {{ figures: PartFigures }} props */
export function Facts({ figures }) {
  const facts = [
    ["Rate", figures.rate_per_second !== null && rate(figures.rate_per_second)],
    ["p50", figures.p50_seconds !== null && duration(figures.p50_seconds)],
    ["p99", figures.p99_seconds !== null && `${duration(figures.p99_seconds)}${goal(figures)}`],
    ["In flight", figures.in_flight],
    ["Waiting", figures.waiting || null],
    ["Trying again", figures.backoff || null],
    ["Queued", figures.queue !== null && `${figures.queue_exact ? "" : "at least "}${short(figures.queue)}`],
    ["Failed", figures.failed > 0 && `${short(figures.failed)} (${percent(figures.error_share ?? 0)})`],
    ["Spend", figures.usd_per_second > 0 && spend(figures.usd_per_second)],
    ["Tokens", figures.tokens_per_second > 0 && rate(figures.tokens_per_second)],
  ].filter(([, value]) => value !== null && value !== false);
  return html`
    <dl class="facts">${facts.map(([word, value]) => html`<div><dt>${word}</dt><dd>${value}</dd></div>`)}</dl>
    ${figures.last_error && html`<p class="wrong code">${figures.last_error}</p>`}
  `;
}

/** @param {PartFigures} figures */
function goal(figures) {
  const slo = picture.value?.slo_p99_seconds;
  return slo && figures.over_slo !== null ? ` of ${duration(slo)}${figures.over_slo ? " ▲" : ""}` : "";
}

/** @param {{ title: string, arrows: ArrowFigures[], end: "source" | "target" }} props */
export const Joined = ({ title, arrows, end }) =>
  arrows.length
    ? html`
        <h3>${title}</h3>
        <ul class="joined">
          ${arrows.map(
            (arrow) => html`
              <li key=${`${arrow[end]} ${arrow.kind}`}><span>${arrow[end]} <span class="quiet">${arrow.may ? "may " : ""}${arrow.kind}</span></span>
              <span>${arrow.rate_per_second ? rate(arrow.rate_per_second) : "–"}</span></li>
            `,
          )}
        </ul>
      `
    : null;
