// Figures as people read them: short, with their unit, never more digits than they carry.

const SMALL = new Intl.NumberFormat("en", { maximumSignificantDigits: 2 });
const WHOLE = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const SHORT = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

/** A count or a figure: 0.4, 8.2, 41, 1.2K. @param {number} value */
export function short(value) {
  if (value === 0) return "0";
  if (Math.abs(value) < 10) return SMALL.format(value);
  return Math.abs(value) < 1000 ? WHOLE.format(value) : SHORT.format(value);
}

/** Events or calls a second. @param {number} value */
export const rate = (value) => `${short(value)}/s`;

/** A time it took: 350 µs, 12 ms, 1.4 s, 3 min. @param {number | null} seconds */
export function duration(seconds) {
  if (seconds === null) return "–";
  if (seconds < 0.001) return `${short(seconds * 1e6)} µs`;
  if (seconds < 1) return `${short(seconds * 1e3)} ms`;
  if (seconds < 100) return `${short(seconds)} s`;
  return seconds < 6000 ? `${short(seconds / 60)} min` : `${short(seconds / 3600)} h`;
}

/** A share: 0.4 %, 12 %, <0.1 %. @param {number} share */
export const percent = (share) => (share > 0 && share < 0.001 ? "<0.1 %" : `${short(share * 100)} %`);

/** Money by the hour. @param {number} perSecond dollars */
export const spend = (perSecond) => `$${short(perSecond * 3600)}/h`;

/** A moment of today, to the second. @param {number} at seconds since 1970 */
export const clock = (at) => new Date(at * 1000).toLocaleTimeString("en-GB");

/** The day of a moment: 3 Nov. @param {number} at seconds since 1970 */
export const day = (at) => new Date(at * 1000).toLocaleDateString("en-GB", { day: "numeric", month: "short" });

/** Money: $0.0012, $3.10. @param {number} usd */
export const money = (usd) => `$${usd >= 0.1 ? usd.toFixed(2) : short(usd)}`;
