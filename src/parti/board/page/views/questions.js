// Questions: what waits for a person, with all they need to decide; and what was settled, by whom and when.

/** @import { Question } from "../questions/types.js" */
import { Problem, ask } from "../api.js";
import { html, signal, useEffect, useSignal } from "../html.js";
import { useShortcuts } from "../keys.js";
import { connection, latest } from "../live.js";
import { Detail } from "../questions/detail.js";
import { List } from "../questions/list.js";
import { address } from "../routes.js";

/** How long a list is left as it is, in milliseconds: reading it reads the run of each question, about 3 ms. */
const REST = 5000;
const STATES = /** @type {const} */ ([["open", "Open"], ["answered", "Answered"], ["expired", "Expired"], ["withdrawn", "Withdrawn"]]);

/** Questions of a state, as last read. */
const lists = signal(/** @type {Record<string, Question[]>} */ ({}));
const trouble = signal("");

/** @param {{ rest: string }} props the id of the question that is looked at */
export function Questions({ rest }) {
  const state = address.value.query.get("state") ?? "open";
  const chosen = useSignal(/** @type {Question | null} */ (null));
  const missing = useSignal("");
  const list = lists.value[state];
  const first = list?.[0];

  useEffect(() => kept(state), [state]);
  useEffect(() => {
    if (!rest && first && !chosen.value) chosen.value = first; // and it stays, whatever becomes of the list
    if (rest && chosen.value?.id !== rest) chosen.value = list?.find((one) => one.id === rest) ?? null;
  }, [rest, first]);
  useEffect(() => {
    if (!rest && chosen.value && chosen.value.state !== state) chosen.value = null;
  }, [state]);
  const id = rest || chosen.value?.id || "";
  const again = () => id && void ask("question", { id }).then((told) => (chosen.value = told), (problem) => (missing.value = problem.message));
  useEffect(() => void again(), [id]); // a list tells the beginning alone
  // Settled meanwhile by somebody else, or by its time: the list no longer has it.
  useEffect(() => {
    if (chosen.value?.state === "open" && state === "open" && list && !list.some((one) => one.id === id)) again();
  }, [list]);

  const step = (/** @type {number} */ by) => () => {
    const at = (list ?? []).findIndex((one) => one.id === id);
    const next = list?.[Math.max(0, at + by)];
    if (next) location.hash = `#/questions/${encodeURIComponent(next.id)}?state=${state}`;
  };
  useShortcuts([
    { keys: ["j"], words: "Next question", group: "Questions", act: () => stepper.act(1) },
    { keys: ["k"], words: "Question before", group: "Questions", act: () => stepper.act(-1) },
    { keys: ["a"], words: "Answer it", group: "Questions", act: () => focusReply() },
  ]);
  stepper.act = (by) => step(by)();

  return html`
    <div class="split">
      <h1 class="unseen">Questions</h1>
      <div class="split-main">
        ${chosen.value ? html`<${Detail} question=${chosen.value} settled=${(/** @type {Question} */ told) => ((chosen.value = told), read(state))} again=${again} />` : html`<${Nothing} list=${list} state=${state} missing=${missing.value} />`}
      </div>
      <aside class="split-list" aria-label="Questions">
        <nav class="tabs" aria-label="State">${STATES.map(([one, words]) => html`<a href=${`#/questions?state=${one}`} aria-current=${one === state ? "page" : undefined}>${words}</a>`)}</nav>
        ${trouble.value && html`<p class="wrong pad" role="alert">${trouble.value}</p>`}
        ${list && html`<${List} questions=${list} chosen=${id} query=${`?state=${state}`} />`}
        ${list?.length === 0 && html`<p class="quiet pad">None.</p>`}
        ${list?.length === MOST && html`<p class="quiet pad">${state === "open" ? "The first" : "The latest"} ${MOST} are shown.</p>`}
      </aside>
    </div>
  `;
}

const MOST = 30;
const stepper = { act: (/** @type {number} */ _) => {} };

/** @param {{ list: Question[] | undefined, state: string, missing: string }} props */
const Nothing = ({ list, state, missing }) => html`
  <p class="notice" role="status">${missing || (list === undefined ? "Reading" : state === "open" ? "Nothing waits for a person." : `No question is ${state}.`)}</p>
`;

function focusReply() {
  const field = document.querySelector(".reply input, .reply textarea, .reply select, .reply button");
  if (field instanceof HTMLElement) field.focus();
}

/** @param {string} state */
async function read(state) {
  try {
    const found = await ask("questions", { state, limit: MOST, brief: 1 });
    lists.value = { ...lists.value, [state]: found };
    trouble.value = "";
  } catch (problem) {
    trouble.value = problem instanceof Problem && problem.status === 0 ? "" : String(problem instanceof Error ? problem.message : problem);
  }
}

/** Read a list now, and again whenever the number of open questions has changed or the server is back. @param {string} state */
function kept(state) {
  let timer = 0;
  let seen = "";
  let last = performance.now();
  void read(state);
  const stop = latest.subscribe((picture) => {
    const now = `${picture?.open_questions} ${connection.peek()}`;
    if (now === seen || timer) return;
    seen = now;
    timer = setTimeout(() => {
      timer = 0;
      last = performance.now();
      if (!document.hidden) void read(state);
    }, Math.max(0, last + REST - performance.now()));
  });
  return () => {
    clearTimeout(timer);
    stop();
  };
}
