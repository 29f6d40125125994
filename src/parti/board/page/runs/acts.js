// What may be done to a run: a dead one starts again, an open one is ended; both only after a yes.

/** @import { RunLine } from "../types.js" */
import { change } from "../api.js";
import { html, useSignal } from "../html.js";
import { prompted } from "../prompts.js";
import { tell } from "../toasts.js";

const ENDED = new Set(["done", "dead", "cancelled"]);

/** @param {{ line: RunLine, done: () => void }} props `done` is called when something changed */
export function Acts({ line, done }) {
  const busy = useSignal(false);
  /** @param {string} name @param {import("../prompts.js").Prompt} prompt */
  async function act(name, prompt) {
    if ((await prompted(prompt)) === null) return;
    busy.value = true;
    await change(name, { run: line.id }).catch(tell);
    busy.value = false;
    done();
  }
  if (line.state === "dead") {
    return html`<button class="primary" disabled=${busy.value} onClick=${() => act("retry", RETRY)}>Retry</button>`;
  }
  return ENDED.has(line.state) ? null : html`<button class="secondary" disabled=${busy.value} onClick=${() => act("cancel", CANCEL)}>Cancel the run</button>`;
}

const RETRY = {
  title: "Retry this run?",
  words: "It starts again, behind the runs of its key that wait already. What its journal says was done is not done again.",
  act: "Retry",
};
const CANCEL = {
  title: "Cancel this run?",
  words: "It ends here and does not go on. What it has done already stays done.",
  act: "Cancel the run",
  grave: true,
};
