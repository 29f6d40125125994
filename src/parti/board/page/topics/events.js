// Events of a topic: the live tail, or those around an offset, a line each.

/** @import { Events as Read, EventShown } from "./types.js" */
import { ask } from "../api.js";
import { When } from "../elements/when.js";
import { html } from "../html.js";
import { stopped, useEvery } from "./every.js";

/** Events that are shown, and how far "older" goes back. */
const SHOWN = 50;
const LONGEST = 160;

/**
 * `from` is the partition and offset around which events are shown, null for the latest; `link` makes an address of this topic.
 * @param {{ topic: string, from: [number, number] | null, chosen: string, link: (query: Record<string, string>) => string }} props
 */
export function Events({ topic, from, chosen, link }) {
  const [partition, around] = from ?? [0, 0];
  const { value, wrong } = useEvery(
    () => /** @type {Promise<Read>} */ (from ? ask("events", { topic, partition, around }) : ask("tail", { topic, limit: SHOWN })),
    [topic, partition, around, from === null], from === null && !stopped.value,
  );
  if (!value) return html`<p class=${wrong ? "wrong pad" : "quiet pad"} role="status">${wrong || "Reading"}</p>`;
  return html`
    <div class="strip">
      ${from ? html`<${Walk} read=${value} partition=${partition} around=${around} link=${link} />` : html`<${Tail} kept=${value.end} />`}
      ${wrong && html`<span class="wrong" role="status">${wrong}</span>`}
    </div>
    ${value.events.length
      ? html`<div class="wide"><table class="rows events">
          <thead><tr><th scope="col">Time</th><th scope="col">Place</th><th scope="col">Key</th><th scope="col">Payload</th></tr></thead>
          <tbody>${value.events.map((event) => html`<${Line} key=${placeOf(event)} event=${event} chosen=${placeOf(event) === chosen} at=${placeOf(event) === from?.join(":")} link=${link} />`)}</tbody>
        </table></div>`
      : html`<p class="notice">${from ? "No event is kept there." : "No event is kept yet."}</p>`}
  `;
}

/** Where an event lies in its topic. @param {{ partition: number, offset: number }} event */
export const placeOf = ({ partition, offset }) => `${partition}:${offset}`;

/** @param {{ event: EventShown, chosen: boolean, at: boolean, link: (query: Record<string, string>) => string }} props */
const Line = ({ event, chosen, at, link }) => html`
  <tr class=${[chosen && "chosen", at && "at"].filter(Boolean).join(" ") || undefined}>
    <td><${When} at=${event.at} /></td>
    <td><a href=${link({ event: placeOf(event) })} aria-current=${chosen ? "true" : undefined} aria-label=${`Event ${placeOf(event)}`}>${placeOf(event)}</a></td>
    <td class="key">${brief(event.key)}</td>
    <td class="code one-line">${brief(event.payload.cut ? String(event.payload.value) : JSON.stringify(event.payload.value))}${event.old_schema && html` <span class="tag">OLD SCHEMA</span>`}</td>
  </tr>
`;

/** @param {string} text */
const brief = (text) => (text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);

/** @param {{ kept: number }} props */
const Tail = ({ kept }) => html`
  <button class="secondary small" aria-pressed=${stopped.value} onClick=${() => (stopped.value = !stopped.value)} title="Hold the tail (.)">${stopped.value ? "▶ Go on" : "❚❚ Hold"}</button>
  <span class="quiet">${stopped.value ? "The tail is held" : "The latest, as they come"} · ${kept.toLocaleString("en")} kept</span>
`;

/** @param {{ read: Read, partition: number, around: number, link: (query: Record<string, string>) => string }} props */
function Walk({ read, partition, around, link }) {
  const to = (/** @type {number} */ offset) => link({ near: `${partition}:${Math.max(read.first, Math.min(offset, read.end - 1))}` });
  return html`
    <a class="secondary small" href=${link({})}>The latest</a>
    ${around - SHOWN / 2 > read.first && html`<a class="secondary small" href=${to(around - SHOWN)}>Older</a>`}
    ${around + SHOWN / 2 < read.end && html`<a class="secondary small" href=${to(around + SHOWN)}>Newer</a>`}
    <span class="quiet">Partition ${partition}, around ${around} · ${read.first} to ${Math.max(read.first, read.end - 1)} are kept</span>
  `;
}
