// The rows of a waterfall: the run, what no call has of its time, and each call; together they are its wall time.

/** @import { Bar, RunShown, Segment, Share } from "../types.js" */
/** @import { Span } from "./track.js" */
import { SHARES } from "./shares.js";

/**
 * `own` is what of the wall time is this row's alone, in seconds; null for the run, which is all of it.
 * @typedef {{ id: string, name: string, kind: string, depth: number, span: Span, own: number | null, state: string, bar: Bar | null,
 *   layers: { style: string, spans: readonly Span[] }[] }} Row
 */

/** @param {RunShown} run @returns {Row[]} */
export function rowsOf(run) {
  const parted = partedOf(run.segments);
  const whole = { at: run.begin, until: run.end };
  const first = {
    id: "run", name: run.line.part, kind: "the whole run", depth: 0, span: whole, own: null, state: run.line.state, bar: null,
    layers: SHARES.map(([what]) => ({ style: `is ${what}`, spans: run.segments.filter((one) => one.what === what) })),
  };
  const nobodys = SHARES.flatMap(([what, word]) => {
    const spans = parted.get(what) ?? [];
    return spans.length ? [rest(what, word, spans)] : [];
  });
  return [first, ...nobodys, ...run.bars.map((bar) => ofBar(bar, parted.get(bar.index) ?? []))];
}

/** Segments by whose they are: the index of a call, or what the run as a whole did. @param {Segment[]} segments */
function partedOf(segments) {
  /** @type {Map<number | Share, Segment[]>} */
  const parted = new Map();
  for (const segment of segments) {
    const whose = segment.bar ?? segment.what;
    const known = parted.get(whose);
    if (known) known.push(segment);
    else parted.set(whose, [segment]);
  }
  return parted;
}

/** @param {Share} what @param {string} word @param {Segment[]} spans @returns {Row} */
function rest(what, word, spans) {
  const span = { at: spans[0]?.at ?? 0, until: spans.at(-1)?.until ?? 0 };
  return { id: what, name: word, kind: "", depth: 0, span, own: total(spans), state: "", bar: null, layers: [{ style: `is ${what}`, spans }] };
}

/** @param {Bar} bar @param {Segment[]} spans @returns {Row} */
function ofBar(bar, spans) {
  const style = bar.state === "done" || bar.state === "open" ? "" : " troubled";
  const line = { at: bar.at, until: bar.at + bar.in_line_seconds };
  const begun = { at: line.until, until: bar.until };
  return {
    id: String(bar.index), name: bar.part, kind: bar.kind, depth: bar.depth + 1, span: { at: bar.at, until: bar.until }, own: total(spans), state: bar.state, bar,
    layers: [
      { style: "is in_line pale", spans: bar.in_line_seconds > 0 ? [line] : [] },
      { style: `is ${bar.waiting_seconds > 0 ? "waiting" : "parts"}${bar.until > bar.at ? " pale" : ""}${style}`, spans: [begun] },
      ...SHARES.map(([what]) => ({ style: `is ${what}${style}`, spans: spans.filter((one) => one.what === what) })),
    ],
  };
}

/** @param {Segment[]} spans */
const total = (spans) => spans.reduce((sum, one) => sum + one.until - one.at, 0);
