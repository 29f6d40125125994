// A histogram of how long something took, on a logarithmic scale, with the promise where there is one.

/** @import { Bucket } from "../types.js" */
import { duration } from "../format.js";
import { html } from "../html.js";

/** The widest that a bar is, in pixels. */
const WIDEST = 56;

/** @param {{ buckets: Bucket[], goal: number | null }} props `goal` in seconds: what is slower stands out */
export function Histogram({ buckets, goal }) {
  const most = Math.max(...buckets.map((one) => one.count), 1);
  const [first, last] = [buckets[0], buckets.at(-1)];
  if (!first || !last) return null;
  const said = buckets.filter((one) => one.count).map((one) => `${one.count} up to ${duration(one.until_seconds)}`).join(", ");
  return html`
    <figure class="histogram" style=${{ maxWidth: `${buckets.length * WIDEST}px` }}>
      <div class="bars" role="img" aria-label=${`How long it took: ${said}`}>
        ${buckets.map((one) => html`
          <span key=${one.from_seconds} class=${goal !== null && one.from_seconds >= goal ? "late" : ""} title=${`${one.count} from ${duration(one.from_seconds)} to ${duration(one.until_seconds)}`}>
            <i style=${{ height: `${(one.count / most) * 100}%` }}></i>
          </span>
        `)}
      </div>
      <figcaption aria-hidden="true"><span>${duration(first.from_seconds)}</span><span>${duration(Math.sqrt(first.from_seconds * last.until_seconds))}</span><span>${duration(last.until_seconds)}</span></figcaption>
    </figure>
  `;
}
