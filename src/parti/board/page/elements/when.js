// A moment, short in the row and whole in its title.

import { clock, day } from "../format.js";
import { html } from "../html.js";

/** @param {{ at: number | null }} props seconds since 1970 */
export function When({ at }) {
  if (at === null) return html`<span class="quiet">–</span>`;
  const moment = new Date(at * 1000);
  const today = moment.toDateString() === new Date().toDateString();
  return html`<time dateTime=${moment.toISOString()} title=${moment.toISOString()}>${today ? "" : `${day(at)} `}${clock(at)}</time>`;
}
