// Topics: what lies in each, how far behind its handlers are, a look into its events, and a way to publish one.

/** @import { Topic } from "../topics/types.js" */
import { ask } from "../api.js";
import { When } from "../elements/when.js";
import { short } from "../format.js";
import { html, useEffect } from "../html.js";
import { useShortcuts } from "../keys.js";
import { address, to } from "../routes.js";
import { Event } from "../topics/event.js";
import { Events } from "../topics/events.js";
import { stopped, useEvery } from "../topics/every.js";
import { Partitions } from "../topics/partitions.js";
import { Publish } from "../topics/publish.js";

const TABS = /** @type {const} */ ([["events", "Events"], ["partitions", "Partitions"], ["publish", "Publish"]]);

/** @param {{ rest: string }} props the topic that is looked at */
export function Topics({ rest }) {
  const { value, wrong } = useEvery(() => /** @type {Promise<Topic[]>} */ (ask("topics")), []);
  const topic = value?.find((one) => one.topic === rest);
  if (!value) return html`<p class="notice" role="status">${wrong || "Reading"}</p>`;
  if (rest && topic) return html`<${One} topic=${topic} wrong=${wrong} />`;
  if (rest) return html`<p class="notice">No topic is named ${rest}. <a href=${to("topics")}>All topics</a></p>`;
  return html`<${All} topics=${value} wrong=${wrong} />`;
}

/** @param {{ topics: Topic[], wrong: string }} props */
const All = ({ topics, wrong }) => html`
  <div class="column broad">
    <header class="heading"><h1>Topics</h1><a class="secondary small" href=${to("dead-letters")}>Dead letters</a></header>
    ${wrong && html`<p class="wrong" role="status">${wrong}</p>`}
    ${topics.length === 0 && html`<p class="notice">The design has no topic.</p>`}
    ${topics.length > 0 && html`
      <div class="panel wide"><table class="rows">
        <thead><tr><th scope="col">Topic</th><th scope="col" class="figure">Kept</th><th scope="col">Latest</th><th scope="col">Lag</th><th scope="col" class="figure">Dead letters kept</th></tr></thead>
        <tbody>${topics.map((one) => html`
          <tr key=${one.topic}>
            <td><a href=${to("topics", one.topic)}><strong>${one.topic}</strong></a>${one.about && html`<br /><span class="quiet">${one.about}</span>`}</td>
            <td class="figure">${one.events.toLocaleString("en")}</td>
            <td><${When} at=${one.newest} /></td>
            <td>${Object.keys(one.lag).length ? html`<${Lags} topic=${one} />` : html`<span class="quiet">nothing reads it</span>`}</td>
            <td class="figure"><${Dead} topic=${one} /></td>
          </tr>
        `)}</tbody>
      </table></div>
    `}
  </div>
`;

/** @param {{ topic: Topic }} props */
const Lags = ({ topic }) => html`<ul>${Object.entries(topic.lag).map(([reader, lag]) => html`<li key=${reader}><a href=${to("parts", reader)}>${reader}</a> ${short(lag)}</li>`)}</ul>`;

/** @param {{ topic: Topic }} props */
const Dead = ({ topic }) =>
  Object.keys(topic.lag).length ? html`<a class=${topic.dead ? "wrong" : ""} href=${`${to("dead-letters")}?topic=${encodeURIComponent(topic.topic)}`}>${short(topic.dead)}</a>` : html`–`;

/** @param {{ topic: Topic, wrong: string }} props */
function One({ topic, wrong }) {
  const { query } = address.value;
  const tab = TABS.find(([name]) => name === query.get("tab"))?.[0] ?? "events";
  const from = placed(query.get("near"));
  const event = query.get("event") ?? "";
  /** The address of this topic, in the present tab unless another is named. @param {Record<string, string>} words */
  const link = (words) => {
    const kept = { tab: tab === "partitions" && words.near ? "events" : tab, ...(query.get("near") && words.event && { near: query.get("near") ?? "" }), ...words };
    return `${to("topics", topic.topic)}?${new URLSearchParams(Object.entries(kept).filter(([name, word]) => word && (name !== "tab" || word !== "events")))}`;
  };
  const away = link({ ...(query.get("near") && { near: query.get("near") ?? "" }) });
  useEffect(() => void (stopped.value = false), [topic.topic]);
  useShortcuts([
    { keys: ["."], words: "Hold the tail, or let it go on", group: "Topic", act: () => (stopped.value = !stopped.value) },
    { keys: ["j"], words: "Look into the next event", group: "Topic", act: () => walk(1) },
    { keys: ["k"], words: "Look into the event before", group: "Topic", act: () => walk(-1) },
    { keys: ["n"], words: "Publish an event", group: "Topic", act: () => (location.hash = `${to("topics", topic.topic)}?tab=publish`) },
    { keys: ["Escape"], words: "Close the event", group: "Topic", act: () => document.querySelector(/** @type {"a"} */ (".event header a"))?.click() },
  ]);
  return html`
    <div class=${`column broad ${event && tab === "events" ? "looking" : ""}`}>
      <header class="heading">
        <div><p class="kind"><a href=${to("topics")}>Topics</a></p><h1>${topic.topic}</h1>${topic.about && html`<p>${topic.about}</p>`}</div>
        <dl class="facts">
          <div><dt>Kept</dt><dd>${topic.events.toLocaleString("en")}</dd></div>
          <div><dt>Since</dt><dd><${When} at=${topic.oldest} /></dd></div>
          ${Object.entries(topic.lag).map(([reader, lag]) => html`<div key=${reader}><dt>Lag of ${reader}</dt><dd>${short(lag)}</dd></div>`)}
          <div><dt>Dead letters kept</dt><dd><${Dead} topic=${topic} /></dd></div>
        </dl>
      </header>
      ${wrong && html`<p class="wrong" role="status">${wrong}</p>`}
      <nav class="tabs flat" aria-label="About this topic">${TABS.map(([name, words]) => html`<a key=${name} href=${link({ tab: name })} aria-current=${name === tab ? "page" : undefined}>${words}</a>`)}</nav>
      <div class="looked">
        <div class="panel">
          ${tab === "events" && html`<${Events} topic=${topic.topic} from=${from} chosen=${event} link=${link} />`}
          ${tab === "partitions" && html`<${Partitions} topic=${topic} link=${link} />`}
          ${tab === "publish" && html`<${Publish} topic=${topic} link=${link} />`}
        </div>
        ${event && tab === "events" && html`<${Event} key=${event} topic=${topic.topic} place=${event} away=${away} />`}
      </div>
    </div>
  `;
}

/** @param {number} by */
function walk(by) {
  const links = [...document.querySelectorAll(/** @type {"a"} */ (".events tbody a"))];
  const at = links.findIndex((one) => one.ariaCurrent === "true");
  links[Math.max(0, at + by)]?.click();
}

/** A partition and an offset out of an address; null where there are none. @param {string | null} text @returns {[number, number] | null} */
function placed(text) {
  const [, partition, offset] = text?.match(/^(\d{1,9}):(\d{1,15})$/) ?? [];
  return partition !== undefined && offset !== undefined ? [Number(partition), Number(offset)] : null;
}
