// A track: stretches of time drawn as shapes, all of one sort in one path, however many there are.

import { html } from "../html.js";

/** From `at` until `until`, in seconds since 1970. @typedef {{ at: number, until: number }} Span */

/** What is seen of the time, in units of a thousandth of its width. */
const WIDE = 1000;
/** The least width of a stretch, so that a moment can be seen. */
const LEAST = 2.2;
/** Ticks of the axis, about. */
const TICKS = 6;

/**
 * @param {{ seen: Span, layers: { style: string, spans: readonly Span[] }[] }} props later layers lie over earlier ones
 */
export const Track = ({ seen, layers }) => html`
  <svg class="track" viewBox=${`0 0 ${WIDE} 10`} preserveAspectRatio="none" aria-hidden="true">
    ${layers.filter((layer) => layer.spans.length).map((layer) => html`<path class=${layer.style} d=${drawn(layer.spans, seen)} />`)}
  </svg>
`;

/** @param {readonly Span[]} spans @param {Span} seen */
function drawn(spans, seen) {
  const scale = WIDE / Math.max(seen.until - seen.at, 1e-9);
  const pieces = [];
  for (const span of spans) {
    if ((span.until - seen.at) * scale < -LEAST || (span.at - seen.until) * scale > LEAST) continue;
    const left = Math.min(Math.max((span.at - seen.at) * scale, 0), WIDE - LEAST);
    const right = Math.max(Math.min((span.until - seen.at) * scale, WIDE), left + LEAST);
    pieces.push(`M${left.toFixed(1)} 0H${right.toFixed(1)}V10H${left.toFixed(1)}Z`);
  }
  return pieces.join("");
}

/** Round seconds after the beginning for the axis: [where from 0 to 1, seconds]. @param {Span} seen @param {number} begin @returns {[number, number][]} */
export function ticks(seen, begin) {
  const wide = seen.until - seen.at;
  if (wide <= 0) return [];
  const rough = wide / TICKS;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((one) => one * power >= rough) ?? 10) * power;
  const first = Math.ceil((seen.at - begin) / step - 1e-9);
  const last = Math.floor((seen.until - begin) / step + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => {
    const seconds = (first + index) * step;
    return [(begin + seconds - seen.at) / wide, seconds];
  });
}
