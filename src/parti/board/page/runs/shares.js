// Where a run's wall time went: the words and order of its shares, and one bar that all of them make up.

/** @import { RunShown, Share } from "../types.js" */
import { duration, percent } from "../format.js";
import { html } from "../html.js";

/** Every share in the order in which they are told: [its name, its word, what it means]. @type {[Share, string, string][]} */
export const SHARES = [
  ["in_line", "In line", "It stood behind others: of its key, or for a place"],
  ["parts", "Parts", "What it called was at work"],
  ["own", "Own code", "Its own function was at work"],
  ["waiting", "Waiting", "It waited for a person or a timer"],
  ["backoff", "Before another try", "It waited after a failure, to try again"],
  ["dead", "Dead", "It was dead until somebody retried it"],
  ["unexplained", "Unexplained", "Nothing in the journal says what this time went to"],
];

/** @param {{ run: RunShown }} props */
export function SharesBar({ run }) {
  const shares = SHARES.map(([what, word, means]) => ({ what, word, means, seconds: run.shares[`${what}_seconds`] })).filter((one) => one.seconds > 0);
  if (!run.wall_seconds) return null;
  return html`
    <div class="shares">
      <div class="stack" aria-hidden="true">${shares.map(({ what, seconds }) => html`<span key=${what} class=${`is ${what}`} style=${{ flexGrow: seconds / run.wall_seconds }}></span>`)}</div>
      <ul class="legend-of-shares">
        ${shares.map(({ what, word, means, seconds }) => html`
          <li key=${what} title=${means}><span class=${`swatch is ${what}`}></span>${word} <strong>${duration(seconds)}</strong> <span class="quiet">${percent(seconds / run.wall_seconds)}</span></li>
        `)}
      </ul>
    </div>
  `;
}
