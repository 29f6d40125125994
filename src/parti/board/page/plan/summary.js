// The summary: how the whole system stands, in one line.

/** @import { PartFigures } from "../types.js" */
import { duration, percent, rate, short, spend } from "../format.js";
import { findings } from "../findings.js";
import { html } from "../html.js";
import { earlier, picture } from "../live.js";
import { to } from "../routes.js";

/** Parts whose runs begin by themselves or by a call: what goes through them goes through the system. */
const RUNNERS = new Set(["handler", "endpoint", "schedule"]);

export function Summary() {
  const now = picture.value;
  if (!now) return null;
  const runners = now.parts.filter((part) => RUNNERS.has(part.kind));
  const sum = (/** @type {(part: PartFigures) => number | null} */ of) => runners.reduce((all, part) => all + (of(part) ?? 0), 0);
  const slowest = runners.reduce((most, part) => Math.max(most, part.p99_seconds ?? 0), 0);
  const over = runners.filter((part) => part.over_slo).length;
  const failed = sum((part) => part.failed);
  const wrong = findings.value?.filter((one) => !one.accepted).length ?? 0;
  const sampled = runners.reduce((all, part) => all + part.sampled, 0);
  return html`
    <dl class="summary" aria-label=${earlier.value ? "The system then" : "The system now"}>
      <${Fact} word="runs" value=${rate(sum((part) => part.rate_per_second))} />
      <${Fact} word="slowest p99" value=${slowest ? duration(slowest) : "–"} bad=${over > 0}
        more=${now.slo_p99_seconds ? `of ${duration(now.slo_p99_seconds)}` : ""} />
      <${Fact} word="failed" value=${failed ? percent(failed / Math.max(sampled, 1)) : "0"} bad=${failed > 0} />
      <${Fact} word="queued" value=${short(sum((part) => part.queue))} />
      <${Fact} word="open questions" value=${short(now.open_questions)} />
      ${wrong > 0 && html`<${Fact} word="findings" value=${html`<a href=${to("findings")}>${short(wrong)}</a>`} bad=${true} />`}
      <${Fact} word="spend" value=${spend(now.parts.reduce((all, part) => all + part.usd_per_second, 0))} />
    </dl>
  `;
}

/** @param {{ word: string, value: unknown, more?: string, bad?: boolean }} props */
const Fact = ({ word, value, more = "", bad = false }) => html`
  <div class=${bad ? "bad" : ""}><dt>${word}</dt><dd>${value}${more && html` <small>${more}</small>`}${bad && html`<span aria-label="not as promised"> ▲</span>`}</dd></div>
`;
