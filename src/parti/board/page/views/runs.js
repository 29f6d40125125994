// Runs: a list that is narrowed down by part, state, key, time and text; all of it stands in the address.

/** @import { Answer } from "../asking.js" */
/** @import { RunLine, RunsPage } from "../types.js" */
import { useAnswer } from "../asking.js";
import { Trouble } from "../elements/trouble.js";
import { When } from "../elements/when.js";
import { html, useEffect, useRef } from "../html.js";
import { useShortcuts } from "../keys.js";
import { picture } from "../live.js";
import { address, adjust, to } from "../routes.js";
import { Filters, wordsOf } from "../runs/filters.js";
import { RunTable } from "../runs/table.js";
import { stepper } from "../runs/step.js";

/** Runs on a page. */
const LIMIT = 50;

/** @param {{ query: URLSearchParams }} props */
export function Runs({ query }) {
  const words = wordsOf(query);
  /** @type {Answer<RunsPage>} */
  const answer = useAnswer("runs", useAsked(words));
  const follows = words.follow === "1" && !words.after && !words.text;
  const step = stepper(".rows a.to");
  useEffect(() => {
    if (follows) answer.again();
  }, [follows, picture.value]);
  useShortcuts([
    { keys: ["/"], words: "Search runs", group: "Runs", act: () => document.querySelector(/** @type {"input"} */ (".filters input[type=search]"))?.focus() },
    { keys: ["j", "ArrowDown"], words: "Next run", group: "Runs", act: () => step(1) },
    { keys: ["k", "ArrowUp"], words: "Run before", group: "Runs", act: () => step(-1) },
    { keys: ["f"], words: "Follow the latest", group: "Runs", act: () => adjust(turned(wordsOf(address.peek().query))) },
  ]);
  const page = answer.value;
  return html`
    <div class="column broad">
      <header class="head"><h1>Runs</h1>
        <label class="follow"><input type="checkbox" checked=${follows} disabled=${words.text !== ""} onChange=${() => adjust(turned(words))} /> Follow the latest <kbd aria-hidden="true">f</kbd></label>
      </header>
      <${Filters} words=${words} />
      ${!page || answer.wrong ? html`<${Trouble} wrong=${answer.wrong} again=${answer.again} />` : html`<${Page} page=${page} words=${words} busy=${answer.busy && !follows} />`}
    </div>
  `;
}

/** @param {{ page: RunsPage, words: Record<string, string>, busy: boolean }} props */
const Page = ({ page, words, busy }) => html`
  <section class=${busy ? "panel flush busy" : "panel flush"} aria-label="Runs found" aria-busy=${busy}>
    ${page.runs.length ? html`<${RunTable} runs=${page.runs} />` : html`<${Empty} page=${page} words=${words} />`}
  </section>
  <nav class="pages" aria-label="Pages">
    <p class="quiet">${saidOf(page, words)}</p>
    ${words.after && html`<a class="secondary" href=${to("runs", "", { ...words, after: "" })}>Latest</a>`}
    ${page.next && html`<a class="secondary" rel="next" href=${to("runs", "", { ...words, after: page.next, follow: "" })}>${page.runs.length ? "Older" : "Look further back"}</a>`}
  </nav>
`;

/** @param {{ page: RunsPage, words: Record<string, string> }} props */
const Empty = ({ page, words }) => html`
  <p class="notice">${page.exhausted ? "No run fits." : "None of those looked at fits."}
    ${Object.entries(words).some(([word, value]) => value && word !== "follow")
      ? html` <a href=${to("runs")}>Show all runs</a>`
      : " Runs appear here once something calls, publishes or ticks."}</p>
`;

/** How far the list reaches. @param {RunsPage} page @param {Record<string, string>} words */
function saidOf(page, words) {
  const count = `${page.runs.length} ${page.runs.length === 1 ? "run" : "runs"}`;
  if (page.exhausted) return words.after ? `${count}, and none before` : count;
  const looked = words.text ? ` among ${page.looked_at} looked at` : "";
  return html`${count}${looked}, back to <${When} at=${page.looked_until} />`;
}

/** @param {Record<string, string>} words */
const turned = (words) => ({ ...words, after: "", follow: words.follow === "1" ? "" : "1" });

/**
 * What the server is asked for. A span of time is counted from when it was chosen, so that its pages hang together.
 * @param {Record<string, string>} words
 */
function useAsked({ within = "", follow, ...rest }) {
  const since = useRef({ within: "", since: "" });
  if (since.current.within !== within) {
    since.current = { within, since: within ? String(Math.floor(Date.now() / 1000 - Number(within))) : "" };
  }
  const asked = { limit: LIMIT, ...rest, ...(within && { since: since.current.since }) };
  return Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== ""));
}
