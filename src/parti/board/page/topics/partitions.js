// The partitions of a topic: what each holds, and how far behind each handler is.

/** @import { Topic } from "./types.js" */
import { short } from "../format.js";
import { html } from "../html.js";
import { to } from "../routes.js";

/** Partitions that are listed; there may be a thousand. */
const MOST = 64;

/** @param {{ topic: Topic, link: (query: Record<string, string>) => string }} props */
export function Partitions({ topic, link }) {
  const readers = Object.keys(topic.lag);
  const most = Math.max(1, ...topic.partitions.flatMap((one) => Object.values(one.lag)));
  if (!topic.partitions.length) return html`<p class="notice">No event was written yet.</p>`;
  return html`
    <div class="wide"><table class="rows">
      <thead><tr><th scope="col">Partition</th><th scope="col" class="figure">Kept</th><th scope="col" class="figure">From</th><th scope="col" class="figure">To</th>${readers.map((one) => html`<th scope="col" key=${one}>Lag of <a href=${to("parts", one)}>${one}</a></th>`)}</tr></thead>
      <tbody>${topic.partitions.slice(0, MOST).map((one) => html`
        <tr key=${one.partition}>
          <td><a href=${link({ near: `${one.partition}:${Math.max(one.first, one.end - 1)}` })}>${one.partition}</a></td>
          <td class="figure">${(one.end - one.first).toLocaleString("en")}</td><td class="figure">${one.first}</td><td class="figure">${one.end}</td>
          ${readers.map((reader) => html`<td key=${reader}><${Lag} lag=${one.lag[reader] ?? 0} most=${most} /></td>`)}
        </tr>
      `)}</tbody>
    </table></div>
    ${topic.partitions.length > MOST && html`<p class="quiet pad">The first ${MOST} of ${topic.partitions.length} are listed.</p>`}
    <p class="quiet pad">The lag of a handler is how many events it has not begun.</p>
  `;
}

/** @param {{ lag: number, most: number }} props */
const Lag = ({ lag, most }) => html`<meter class="lag" min="0" max=${most} value=${lag} aria-label=${`Lag ${lag}`}></meter> ${short(lag)}`;
