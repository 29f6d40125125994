// What is around a run: what caused it, the events that it published, and the runs that handle them.

/** @import { Answer } from "../asking.js" */
/** @import { RunShown, StoryShown } from "../types.js" */
import { useAnswer } from "../asking.js";
import { State } from "../elements/state.js";
import { html, useEffect } from "../html.js";
import { to, toEvent } from "../routes.js";

/** Events that are shown. */
const MOST = 30;

/** @param {{ run: RunShown }} props */
export function Around({ run }) {
  const { id, state } = run.line;
  /** @type {Answer<StoryShown>} */
  const story = useAnswer("story", { id });
  useEffect(() => story.again(), [state]);
  const told = story.value;
  const events = told?.events.filter((one) => one.event.cause === id) ?? [];
  const cause = run.origin?.cause ?? "";
  const lines = new Map(told?.nodes.map((node) => [node.run.id, node.run]));
  return html`
    <section class="panel around" aria-labelledby="around"><header class="head"><h2 id="around">Before and after</h2>
      <a href=${to("story", id)}>The whole story${told && told.nodes.length > 1 ? ` (${told.nodes.length} runs)` : ""}</a></header>
      <ul class="plainly">
        <li>${cause ? html`Caused by <a class="code" href=${to("runs", cause)}>${cause}</a>` : run.line.topic ? "Its event was published from outside." : "It was called from outside."}</li>
        ${events.slice(0, MOST).map(({ event, runs }) => html`
          <li key=${`${event.topic} ${event.partition} ${event.offset}`}>Published <a href=${toEvent(event)}>${event.topic} ${event.partition}/${event.offset}</a>
            ${runs.length ? html`<ul>${runs.map((run) => html`<li key=${run}><a class="code" href=${to("runs", run)}>${run}</a>${lines.get(run) && html` <${State} state=${lines.get(run)?.state ?? ""} />`}</li>`)}</ul>` : html`<span class="quiet"> which nothing handles yet</span>`}</li>
        `)}
        ${events.length > MOST && html`<li class="quiet">and ${events.length - MOST} more events</li>`}
        ${told && !events.length && html`<li class="quiet">It has published nothing that can still be found.</li>`}
        ${story.wrong && html`<li class="wrong">${story.wrong.message}</li>`}
      </ul>
    </section>
  `;
}
