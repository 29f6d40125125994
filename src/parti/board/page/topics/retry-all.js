// Retrying all dead letters: page after page within a bound, with an account of what was done, until somebody stops it.

/** @import { Retried } from "./types.js" */
import { change } from "../api.js";
import { html } from "../html.js";

/** Runs that one confirmation starts at most, but for the rest of a page; the server starts a hundred at a time. */
export const MOST = 1000;

/** What was done so far; `next` is where to go on, null at the end of the list. @typedef {{ retried: number, refused: number, why: Retried["why"], next: string | null, going: boolean }} Done */

/** @type {Done} */
export const NOTHING_DONE = { retried: 0, refused: 0, why: [], next: "", going: false };

/**
 * Start dead runs again from where `done` ended.
 * @param {{ topic: string, part: string }} about
 * @param {Done} done
 * @param {(done: Done) => boolean} tell hears how far it came, and says whether to go on
 */
export async function retryAll(about, done, tell) {
  let at = { ...done, going: true };
  let left = MOST;
  try {
    while (at.next !== null && left > 0 && tell(at)) {
      const page = /** @type {Retried} */ (await change("retry-all", { ...about, after: at.next }));
      left -= page.retried + page.refused;
      at = { ...at, retried: at.retried + page.retried, refused: at.refused + page.refused, why: [...at.why, ...page.why].slice(0, 5), next: page.next };
    }
  } finally {
    tell({ ...at, going: false });
  }
}

/** What a retry of all has done. @param {{ done: Done, stop: () => void, goOn: () => void }} props */
export const Account = ({ done, stop, goOn }) => html`
  <div class="panel account" role="status">
    <p><strong>${done.retried.toLocaleString("en")} started again</strong>${done.refused > 0 && html`, ${done.refused.toLocaleString("en")} not`}${done.going && " so far"}.
      ${done.going && html` <button class="link" onClick=${stop}>Stop</button>`}
      ${!done.going && done.next !== null && html` There may be more. <button class="link" onClick=${goOn}>Go on</button>`}</p>
    ${done.why.length > 0 && html`<ul>${done.why.map((one) => html`<li key=${one.run}><span class="code">${one.run}</span> <span class="wrong">${one.code} ${one.error}</span></li>`)}</ul>`}
  </div>
`;
