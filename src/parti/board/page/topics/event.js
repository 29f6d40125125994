// One event: what it says, what caused it, and the runs that handle it.

/** @import { EventShown } from "./types.js" */
import { ask } from "../api.js";
import { State } from "../elements/state.js";
import { Value } from "../elements/value.js";
import { When } from "../elements/when.js";
import { html } from "../html.js";
import { to } from "../routes.js";
import { useEvery } from "./every.js";

/** @param {{ topic: string, place: string, away: string }} props `away` is the address without it */
export function Event({ topic, place, away }) {
  const [partition = "", offset = ""] = place.split(":");
  const { value, wrong } = useEvery(() => /** @type {Promise<EventShown>} */ (ask("event", { topic, partition, offset })), [topic, place]);
  return html`
    <section class="panel event" aria-labelledby="event-title">
      <header><h2 id="event-title">Event ${place}</h2><a class="plain" href=${away} aria-label="Close the event" title="Close (Esc)">×</a></header>
      ${wrong && !value && html`<p class="wrong" role="alert">${wrong}</p>`}
      ${value && html`<${Told} event=${value} />`}
    </section>
  `;
}

/** @param {{ event: EventShown }} props */
const Told = ({ event }) => html`
  <dl class="pairs">
    <dt>Written</dt><dd><${When} at=${event.at} /></dd>
    <dt>Key</dt><dd>${event.key || "–"}</dd>
    ${event.tenant !== "main" && html`<dt>Tenant</dt><dd>${event.tenant}</dd>`}
    <dt>Caused by</dt><dd>${event.cause ? html`<a href=${to("runs", event.cause)}>${event.cause}</a>` : "Published from outside"}</dd>
    ${event.old_schema && html`<dt>Schema</dt><dd>An older one than today's</dd>`}
  </dl>
  <h3>Payload</h3>
  <${Value} shown=${event.payload} label="Payload" />
  <h3>Handled by</h3>
  ${event.runs.length
    ? html`<ul class="handled">${event.runs.map((run) => html`
        <li key=${run.id}><a href=${to("runs", run.id)}>${run.part}</a> <${State} state=${run.state} />${run.error && html`<p class="wrong code">${run.error}</p>`}</li>
      `)}</ul>`
    : html`<p class="quiet">Nothing has begun to handle it.</p>`}
`;
