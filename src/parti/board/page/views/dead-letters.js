// Dead letters: the runs that failed for good, why, and a way to start one of them again, or all.

/** @import { Done } from "../topics/retry-all.js" */
/** @import { Letter, Letters } from "../topics/types.js" */
import { ask, change } from "../api.js";
import { State } from "../elements/state.js";
import { Value } from "../elements/value.js";
import { When } from "../elements/when.js";
import { html, useEffect, useSignal } from "../html.js";
import { epoch } from "../live.js";
import { prompted } from "../prompts.js";
import { address, to, toEvent } from "../routes.js";
import { Account, MOST, NOTHING_DONE, retryAll } from "../topics/retry-all.js";
import { tell } from "../toasts.js";

export function DeadLetters() {
  const { query } = address.value;
  const about = { topic: query.get("topic") ?? "", part: query.get("part") ?? "" };
  const letters = useSignal(/** @type {Letter[] | null} */ (null));
  const next = useSignal(/** @type {string | null} */ (null));
  const wrong = useSignal("");
  const done = useSignal(/** @type {Done | null} */ (null));
  const stop = useSignal(false);

  /** @param {string} after "" for the first page */
  async function read(after) {
    try {
      const page = /** @type {Letters} */ (await ask("dead-letters", { ...about, after }));
      letters.value = [...(after ? letters.value ?? [] : []), ...page.letters];
      next.value = page.exhausted ? null : page.next;
      wrong.value = "";
    } catch (problem) {
      wrong.value = problem instanceof Error ? problem.message : String(problem);
    }
  }
  useEffect(() => void read(""), [about.topic, about.part, epoch.value]);

  /** @param {Done} from */
  async function all(from) {
    const sure = await prompted({
      title: "Start all of them again?", grave: true, act: "Retry all",
      words: `Every dead letter ${words(about)} begins again, at most ${MOST.toLocaleString("en")} of them. What their steps did already is not done again.`,
    });
    if (sure === null) return;
    stop.value = false;
    await retryAll(about, from, (so) => ((done.value = so), !stop.value)).catch(tell);
    await read("");
  }

  return html`
    <div class="column broad">
      <header class="heading">
        <div>${about.topic && html`<p class="kind"><a href=${to("topics", about.topic)}>${about.topic}</a></p>`}<h1>Dead letters</h1><p class="quiet">Runs ${words(about)} that failed for good, the latest first.</p></div>
        <p class="acts">
          <button class="secondary" onClick=${() => read("")}>Read again</button>
          <button class="secondary" disabled=${!letters.value?.length || done.value?.going} onClick=${() => all(NOTHING_DONE)}>Retry all</button>
        </p>
      </header>
      ${done.value && html`<${Account} done=${done.value} stop=${() => (stop.value = true)} goOn=${() => done.value && all(done.value)} />`}
      ${wrong.value && html`<p class="wrong" role="alert">${wrong.value}</p>`}
      ${letters.value === null && !wrong.value && html`<p class="notice" role="status">Reading</p>`}
      ${letters.value?.length === 0 && html`<p class="notice">There is none.</p>`}
      <ul class="letters">${letters.value?.map((letter) => html`<${One} key=${letter.run.id} letter=${letter} />`)}</ul>
      ${next.value && letters.value?.length ? html`<button class="secondary" onClick=${() => read(next.value ?? "")}>Older ones</button>` : null}
    </div>
  `;
}

/** @param {{ topic: string, part: string }} about */
const words = ({ topic, part }) => (part ? `of ${part}` : topic ? `of the handlers of ${topic}` : "of all parts");

/** @param {{ letter: Letter }} props */
function One({ letter }) {
  const { run, error, event } = letter;
  const state = useSignal(run.state);
  const busy = useSignal(false);
  async function retry() {
    busy.value = true;
    await change("retry", { run: run.id }).then((line) => (state.value = line.state === "dead" ? "dead" : "started again"), tell);
    busy.value = false;
  }
  return html`
    <li class="panel letter">
      <header>
        <div><h2><a href=${to("runs", run.id)}>${run.part}${run.key && ` · ${run.key}`}</a></h2>
          <p class="quiet"><${State} state=${state.value} /> · <${When} at=${run.ended ?? run.created} /> · ${letter.attempts === 1 ? "1 attempt" : `${letter.attempts} attempts`}
            ${event && html` · <a href=${toEvent(event)}>${event.topic} ${event.partition}:${event.offset}</a>`}</p></div>
        <button class="secondary" disabled=${!letter.can_retry || busy.value || state.value !== "dead"} onClick=${retry} aria-label=${`Retry ${run.id}`}>Retry</button>
      </header>
      ${error && html`<p class="wrong code"><strong>${error.code}</strong> ${brief(String(error.message.value))}</p>${error.place && html`<p class="quiet code">${error.place}</p>`}${error.fix && html`<p class="quiet">Try: ${error.fix}</p>`}`}
      <details><summary>${letter.can_retry ? "What a retry does, and the event" : "Why it cannot be started again"}</summary><p>${letter.retry}</p>${event && html`<${Value} shown=${event.payload} label="The event" />`}</details>
    </li>
  `;
}

const LONGEST = 600;

/** @param {string} text */
const brief = (text) => (text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);
