// A sparkline: the rate of a part over the last minute.

import { html } from "../html.js";

const WIDE = 240;
const HIGH = 36;
const MOST = 60;

/** @param {{ values: readonly number[] }} props one value a second, the latest last */
export function Sparkline({ values }) {
  if (values.length < 2) return null;
  const top = Math.max(...values, 1e-9);
  const step = WIDE / (MOST - 1);
  const start = WIDE - (values.length - 1) * step;
  const points = values.map((value, index) => `${(start + index * step).toFixed(1)},${(HIGH - 2 - (value / top) * (HIGH - 4)).toFixed(1)}`);
  return html`
    <svg class="sparkline" viewBox=${`0 0 ${WIDE} ${HIGH}`} preserveAspectRatio="none" role="img" aria-label="Rate over the last minute">
      <polygon points=${`${start.toFixed(1)},${HIGH} ${points.join(" ")} ${WIDE},${HIGH}`} />
      <polyline points=${points.join(" ")} />
    </svg>
  `;
}
