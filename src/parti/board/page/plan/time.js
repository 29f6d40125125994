// Time: a slider over the last hour, which shows the picture as it was then, and the way back to now.

import { ask } from "../api.js";
import { clock, duration } from "../format.js";
import { batch, html, signal, useEffect } from "../html.js";
import { useShortcuts } from "../keys.js";
import { earlier, latest } from "../live.js";
import { address } from "../routes.js";

/** How far back the slider goes, and how fine it is, in seconds. */
const BACK = 3600;
const STEP = 5;
const MINUTE = 60;
/** How long the slider rests before a picture is asked for, in milliseconds. */
const REST = 120;

/** The moment that is looked at, in seconds since 1970; null for now. */
const moment = signal(/** @type {number | null} */ (null));
/** The right end of the slider while the past is looked at: it holds still. */
const end = signal(0);
const wrong = signal("");
let timer = 0;

export function Time() {
  const now = latest.value?.at ?? 0;
  useEffect(() => {
    const at = Number(address.peek().query.get("at"));
    if (at > 0) lookAt(at);
    return leave;
  }, []);
  useShortcuts([
    { keys: ["["], words: "A minute earlier", group: "Time", act: () => lookAt((moment.peek() ?? latest.peek()?.at ?? 0) - MINUTE) },
    { keys: ["]"], words: "A minute later", group: "Time", act: () => moment.peek() !== null && lookAt((moment.peek() ?? 0) + MINUTE) },
    { keys: ["n"], words: "Back to now", group: "Time", act: toNow },
  ]);
  if (!now) return null;
  const past = moment.value;
  const right = past === null ? now : end.value;
  const ago = past === null ? 0 : Math.max(0, now - past);
  return html`
    <div class=${`time ${past === null ? "" : "past"}`} role="group" aria-label="Time">
      <input type="range" min=${-BACK} max="0" step=${STEP} value=${past === null ? 0 : Math.round(past - right)} aria-label="The moment that is shown, over the last hour"
        aria-valuetext=${past === null ? "now" : `${clock(past)}, ${duration(ago)} ago`}
        onInput=${(/** @type {InputEvent} */ event) => lookAt(right + Number(/** @type {HTMLInputElement} */ (event.target).value))} />
      <output>${past === null ? "Now" : clock(past)}</output>
    </div>
    ${past !== null && html`
      <p class="then" role="status">
        <strong>The past: ${clock(past)}, ${duration(ago)} ago.</strong> ${wrong.value || (shows(past) ? "Queues of then are estimates." : "Reading")}
        <button class="primary small" onClick=${toNow}>Back to now</button>
      </p>
    `}
  `;
}

/** Whether the picture of that moment is on the page. @param {number} past */
const shows = (past) => earlier.value !== null && Math.abs(earlier.value.at - past) < 1;

/** Look at a moment; what is not before now is now. @param {number} at */
function lookAt(at) {
  const now = latest.peek()?.at ?? Date.now() / 1000;
  const right = moment.peek() === null ? now : end.peek();
  if (at >= right) return toNow();
  batch(() => {
    end.value = right;
    moment.value = Math.max(at, right - BACK);
    wrong.value = "";
  });
  clearTimeout(timer);
  timer = setTimeout(read, REST);
}

async function read() {
  const at = moment.peek();
  if (at === null) return;
  history.replaceState(null, "", `#/plan?at=${at.toFixed(0)}`);
  try {
    const then = await ask("picture", { at });
    if (moment.peek() === at) earlier.value = then;
  } catch (problem) {
    if (moment.peek() === at) wrong.value = problem instanceof Error ? problem.message : String(problem);
  }
}

function toNow() {
  if (moment.peek() !== null) history.replaceState(null, "", "#/plan");
  leave();
}

function leave() {
  clearTimeout(timer);
  batch(() => {
    moment.value = null;
    earlier.value = null;
    wrong.value = "";
  });
}
