// The plan: the design as `parti draw` draws it, with what happens in it now.

/** @import { Plan as Shown } from "../types.js" */
import { ask } from "../api.js";
import { findings, judge } from "../findings.js";
import { html, useEffect, useRef, useSignal, useSignalEffect } from "../html.js";
import { useShortcuts } from "../keys.js";
import { epoch, picture } from "../live.js";
import { Card } from "../plan/card.js";
import { Stage } from "../plan/stage.js";
import { Summary } from "../plan/summary.js";
import { Time } from "../plan/time.js";
import { tell } from "../toasts.js";

export function Plan() {
  const place = useRef(/** @type {HTMLDivElement | null} */ (null));
  const search = useRef(/** @type {HTMLInputElement | null} */ (null));
  const stage = useSignal(/** @type {Stage | null} */ (null));
  const plan = useSignal(/** @type {Shown | null} */ (null));
  useEffect(() => void ask("plan").then((shown) => (plan.value = shown), tell), [epoch.value]);
  useEffect(() => {
    if (!plan.value || !place.current) return;
    const made = new Stage(place.current, plan.value);
    stage.value = made;
    return () => made.end();
  }, [plan.value]);
  useEffect(judge, []);
  useSignalEffect(() => {
    if (findings.value) stage.value?.judge(findings.value);
  });
  useSignalEffect(() => {
    if (picture.value) stage.value?.show(picture.value);
  });

  const on = (/** @type {(stage: Stage) => void} */ act) => () => stage.value && act(stage.value);
  useShortcuts([
    { keys: ["/"], words: "Search a part", group: "Plan", act: () => search.current?.focus() },
    { keys: ["+", "="], words: "Zoom in", group: "Plan", act: on((one) => one.camera.zoom(1.25)) },
    { keys: ["-"], words: "Zoom out", group: "Plan", act: on((one) => one.camera.zoom(0.8)) },
    { keys: ["0", "f"], words: "Show all", group: "Plan", act: on((one) => one.fit()) },
    { keys: ["1"], words: "Full size", group: "Plan", act: on((one) => one.camera.zoom(1 / one.camera.scale)) },
    { keys: ["Escape"], words: "Let go of a part", group: "Plan", act: on((one) => one.choose("")) },
    ...["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"].map((key) => ({
      keys: [key], words: "Go to the next part that way", group: "Plan", act: on((one) => one.step(key)),
    })),
  ]);

  return html`
    <h1 class="unseen">Plan of ${plan.value?.system ?? "the system"}</h1>
    <div class="stage" ref=${place}></div>
    <${Summary} />
    <${Time} />
    <search class="find">
      <input ref=${search} type="search" placeholder="Search parts" aria-label="Search parts" spellcheck="false"
        onInput=${(/** @type {InputEvent} */ event) => stage.value?.find(written(event))}
        onKeyDown=${(/** @type {KeyboardEvent} */ event) => leave(event, stage.value)} />
      <kbd aria-hidden="true">/</kbd>
    </search>
    ${stage.value && html`<${Controls} stage=${stage.value} /><${Card} stage=${stage.value} parts=${plan.value?.parts ?? []} />`}
  `;
}

/** @param {{ stage: Stage }} props */
const Controls = ({ stage }) => html`
  <div class="zoom" role="group" aria-label="Zoom">
    <button onClick=${() => stage.camera.zoom(0.8)} aria-label="Zoom out" title="Zoom out (-)">−</button>
    <output>${Math.round(stage.camera.shown.value * 100)} %</output>
    <button onClick=${() => stage.camera.zoom(1.25)} aria-label="Zoom in" title="Zoom in (+)">+</button>
    <button onClick=${() => stage.fit()} aria-label="Show all" title="Show all (0)">⤢</button>
  </div>
`;

/** @param {Event} event */
const written = (event) => /** @type {HTMLInputElement} */ (event.target).value;

/** Enter goes to the first part that was found, Escape clears. @param {KeyboardEvent} event @param {Stage | null} stage */
function leave(event, stage) {
  const input = /** @type {HTMLInputElement} */ (event.target);
  if (event.key === "Enter") stage?.toFound();
  if (event.key === "Escape") {
    input.value = "";
    stage?.find("");
    input.blur();
  }
}
