// The waterfall of a run: its rows over time, one of them chosen, with the keyboard or the pointer; and a look closer.

/** @import { RunShown } from "../types.js" */
/** @import { Row } from "./rows.js" */
/** @import { Span } from "./track.js" */
import { duration, percent } from "../format.js";
import { html, useRef, useSignal } from "../html.js";
import { useShortcuts } from "../keys.js";
import { rowsOf } from "./rows.js";
import { Track, ticks } from "./track.js";

/** Rows that are drawn before more are asked for. */
const PAGE = 150;

/** @param {{ run: RunShown, chosen: string, choose: (id: string) => void }} props */
export function Waterfall({ run, chosen, choose }) {
  const most = useSignal(PAGE);
  const close = useSignal(/** @type {Span | null} */ (null));
  const list = useRef(/** @type {HTMLElement | null} */ (null));
  const rows = rowsOf(run);
  const latest = useRef({ rows, chosen });
  latest.current = { rows, chosen };
  const seen = close.value ?? { at: run.begin, until: Math.max(run.end, run.begin + 1e-6) };
  const zoom = () => (close.value = around(latest.current.rows.find((row) => row.id === latest.current.chosen)));
  useShortcuts([
    { keys: ["w"], words: "Go to the waterfall; ↑ ↓ then choose", group: "A run", act: () => list.current?.focus() },
    { keys: ["z"], words: "Look closer at what is chosen", group: "A run", act: zoom },
    { keys: ["0"], words: "See the whole run", group: "A run", act: () => (close.value = null) },
  ]);
  /** @param {KeyboardEvent} event */
  function step(event) {
    const at = rows.findIndex((row) => row.id === chosen);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const next = Math.min(Math.max(to, 0), rows.length - 1);
    if (next >= most.value) most.value = next + PAGE;
    choose(rows[next]?.id ?? "run");
    requestAnimationFrame(() => list.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" }));
  }
  const sum = rows.reduce((all, row) => all + (row.own ?? 0), 0);
  const left = rows.length - most.value;
  return html`
    <section class="panel flush waterfall" aria-labelledby="waterfall">
      <header><h2 id="waterfall">Waterfall</h2>
        <p class="acts"><button class="secondary small" onClick=${zoom} disabled=${chosen === "run"} title="z">Look closer</button>
          <button class="secondary small" onClick=${() => (close.value = null)} disabled=${!close.value} title="0">Whole run</button></p></header>
      <div class="line axis" aria-hidden="true"><span></span><span class="ticks">${ticks(seen, run.begin).map(([where, seconds]) => html`<i key=${seconds} style=${{ left: `${where * 100}%` }}>${seconds ? duration(seconds) : "0"}</i>`)}</span><span>took</span><span>of wall</span></div>
      <div class="lines" role="listbox" tabindex="0" ref=${list} aria-label="What the run did" aria-activedescendant=${`row-${chosen}`} onKeyDown=${step}>
        ${rows.slice(0, most.value).map((row) => html`<${Line} key=${row.id} row=${row} seen=${seen} wall=${run.wall_seconds} chosen=${row.id === chosen} choose=${choose} />`)}
      </div>
      ${left > 0 && html`<p class="more"><button class="link" onClick=${() => (most.value += PAGE * 4)}>Show ${Math.min(left, PAGE * 4)} more of ${left.toLocaleString("en")}</button></p>`}
      <p class="quiet sum">All rows together ${duration(sum)}: the wall time is ${duration(run.wall_seconds)}.${run.cut > 0 && ` The middle ${run.cut.toLocaleString("en")} of ${run.entries.toLocaleString("en")} journal entries are left out.`}</p>
    </section>
  `;
}

/** @param {{ row: Row, seen: Span, wall: number, chosen: boolean, choose: (id: string) => void }} props */
const Line = ({ row, seen, wall, chosen, choose }) => html`
  <div class=${`line ${row.id === "run" ? "whole" : ""}`} role="option" id=${`row-${row.id}`} data-row=${row.id} aria-selected=${chosen} onClick=${() => choose(row.id)} aria-label=${saidOf(row, wall)}>
    <span class="what" style=${{ paddingLeft: `${Math.min(row.depth, 8) * 14}px` }}><b>${row.name}</b> <span class="quiet">${row.kind}</span>${marked(row)}</span>
    <${Track} seen=${seen} layers=${row.layers} />
    <span class="figure">${duration(row.bar ? row.span.until - row.span.at : row.own ?? row.span.until - row.span.at)}</span>
    <span class="figure quiet">${row.own === null ? "100 %" : row.own > 0 && wall > 0 ? percent(row.own / wall) : "–"}</span>
  </div>
`;

/** @param {Row} row */
const marked = ({ bar }) =>
  bar && (bar.state !== "done" || bar.attempts > 1) && html` <span class=${bar.state === "open" ? "mark" : bar.state === "done" ? "mark quiet" : "mark wrong"}>${bar.state === "done" ? `${bar.attempts} tries` : bar.state}</span>`;

/** @param {Row} row @param {number} wall */
const saidOf = (row, wall) =>
  [row.name, row.kind, row.bar?.state, `took ${duration(row.bar ? row.span.until - row.span.at : row.own ?? wall)}`, row.own && wall && `${percent(row.own / wall)} of the wall time`].filter(Boolean).join(", ");

/** A row with a little around it. @param {Row | undefined} row @returns {Span | null} */
function around(row) {
  if (!row || row.id === "run") return null;
  const margin = Math.max((row.span.until - row.span.at) * 0.15, 1e-5);
  return { at: row.span.at - margin, until: row.span.until + margin };
}
