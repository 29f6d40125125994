// A story: from the call or event that began it to the last thing that followed; every line of it leads on.

/** @import { Answer } from "../asking.js" */
/** @import { EventLine, RunLine, StoryShown } from "../types.js" */
/** @import { Span } from "../runs/track.js" */
import { useAnswer } from "../asking.js";
import { State } from "../elements/state.js";
import { Trouble } from "../elements/trouble.js";
import { When } from "../elements/when.js";
import { duration } from "../format.js";
import { html, useSignal, useSignalEffect } from "../html.js";
import { useShortcuts } from "../keys.js";
import { picture } from "../live.js";
import { to, toEvent } from "../routes.js";
import { stepper } from "../runs/step.js";
import { Track, ticks } from "../runs/track.js";

/** Lines that are drawn before more are asked for. */
const PAGE = 150;
const ENDED = new Set(["done", "dead", "cancelled"]);

/** A line of the story: a run, or an event that one published. @typedef {{ depth: number, run: RunLine | null, event: EventLine | null }} Told */

/** @param {{ id: string }} props */
export function Story({ id }) {
  /** @type {Answer<StoryShown>} */
  const answer = useAnswer("story", { id });
  const most = useSignal(PAGE);
  const story = answer.value;
  const open = story?.nodes.some((node) => !ENDED.has(node.run.state));
  useSignalEffect(() => {
    if (picture.value && open) answer.again();
  });
  const step = stepper(".story a.to");
  useShortcuts([
    { keys: ["j", "ArrowDown"], words: "Next line", group: "Story", act: () => step(1) },
    { keys: ["k", "ArrowUp"], words: "Line before", group: "Story", act: () => step(-1) },
  ]);
  if (!story) return html`<${Trouble} wrong=${answer.wrong} again=${answer.again} />`;
  const told = toldOf(story);
  const begin = Math.min(...told.map(beginOf));
  const seen = { at: begin, until: Math.max(...told.map(endOf), begin + 1e-6) };
  const root = story.nodes[0];
  return html`
    <div class="column broad">
      <header class="head"><div><p class="kind"><a href=${to("runs")}>Runs</a> / story</p>
        <h1>${root?.event ? html`From an event of ${root.event.topic}` : html`From a call of ${root?.run.part ?? ""}`}</h1>
        <p class="quiet">${story.nodes.length} ${story.nodes.length === 1 ? "run" : "runs"} over ${duration(seen.until - seen.at)}, since <${When} at=${begin} />.
          ${story.cut && " It goes on beyond what is shown."}</p></div></header>
      <section class="panel flush story waterfall" aria-label="The story">
        <div class="line axis" aria-hidden="true"><span></span><span class="ticks">${ticks(seen, begin).map(([where, seconds]) => html`<i key=${seconds} style=${{ left: `${where * 100}%` }}>${seconds ? duration(seconds) : "0"}</i>`)}</span><span>took</span><span></span></div>
        <ol class="lines">${told.slice(0, most.value).map((one) => html`<${Line} key=${keyOf(one)} told=${one} seen=${seen} asked=${one.run?.id === story.asked} />`)}</ol>
        ${told.length > most.value && html`<p class="more"><button class="link" onClick=${() => (most.value += PAGE * 4)}>Show more of ${told.length.toLocaleString("en")} lines</button></p>`}
      </section>
    </div>
  `;
}

/** @param {{ told: Told, seen: Span, asked: boolean }} props */
const Line = ({ told: { run, event, depth }, seen, asked }) => html`
  <li class=${`line ${asked ? "here" : ""} ${run ? "" : "event"}`}>
    <span class="what" style=${{ paddingLeft: `${Math.min(depth, 12) * 16}px` }}>
      ${run && html`<a class="to" href=${to("runs", run.id)} aria-current=${asked ? "true" : undefined}><b>${run.part}</b></a> <span class="quiet code">${run.key}</span>`}
      ${event && html`<a class="to" href=${toEvent(event)}>${event.topic}</a> <span class="quiet">event ${event.partition}/${event.offset}</span>`}
    </span>
    <${Track} seen=${seen} layers=${run ? layersOf(run, seen) : [{ style: "is event", spans: [{ at: event?.at ?? 0, until: event?.at ?? 0 }] }]} />
    <span class="figure">${run ? duration(run.wall_seconds) : ""}</span>
    <span>${run && html`<${State} state=${run.state} />`}</span>
    ${run?.error && html`<p class="wrong code">${run.error}</p>`}
  </li>
`;

/** In line, then at it. @param {RunLine} run @param {Span} seen */
function layersOf(run, seen) {
  const begun = run.started ?? run.ended ?? seen.until;
  return [
    { style: "is in_line", spans: [{ at: run.created, until: begun }] },
    { style: run.state === "dead" ? "is parts troubled" : "is parts", spans: run.started ? [{ at: begun, until: run.ended ?? seen.until }] : [] },
  ];
}

/** The lines in the order of telling: each run, under it what it published, under that who handled it. @param {StoryShown} story */
function toldOf(story) {
  const runs = new Map(story.nodes.map((node) => [node.run.id, node.run]));
  /** @type {Told[]} */
  const told = [];
  const once = new Set();
  /** @param {string} id @param {number} depth */
  function tell(id, depth) {
    const run = runs.get(id);
    if (!run || once.has(id)) return;
    once.add(id);
    told.push({ depth, run, event: null });
    for (const { event, runs: handling } of story.events.filter((one) => one.event.cause === id)) {
      told.push({ depth: depth + 1, run: null, event });
      for (const other of handling) tell(other, depth + 2);
    }
  }
  const first = story.nodes[0]?.event;
  if (first) told.push({ depth: 0, run: null, event: first });
  tell(story.root, first ? 1 : 0);
  return told;
}

/** @param {Told} told */
const keyOf = ({ run, event }) => run?.id ?? `${event?.topic} ${event?.partition} ${event?.offset}`;
/** @param {Told} told */
const beginOf = ({ run, event }) => run?.created ?? event?.at ?? Infinity;
/** @param {Told} told */
const endOf = ({ run, event }) => (run ? run.created + run.wall_seconds : event?.at ?? 0);
