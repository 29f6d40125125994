// Publishing one event: by a form made from the schema of its topic, or as JSON.

/** @import { Misfit } from "../forms/types.js" */
/** @import { Topic } from "./types.js" */
import { Problem } from "../api.js";
import { SchemaForm, focusRefused } from "../forms/form.js";
import { fresh } from "../forms/schema.js";
import { html, signal, useEffect, useSignal } from "../html.js";
import { surely } from "../surely.js";
import { tell } from "../toasts.js";

/** What is being written, by topic, while the page is open; `key` makes sending it twice publish it once. @typedef {{ value: unknown, text: string | null, key: string }} Writing */

const writings = signal(/** @type {ReadonlyMap<string, Writing>} */ (new Map()));
/** Writings that are kept. */
const MOST = 20;

/** @param {{ topic: Topic, link: (query: Record<string, string>) => string }} props */
export function Publish({ topic, link }) {
  const misfits = useSignal(/** @type {Misfit[]} */ ([]));
  const refused = useSignal("");
  const sending = useSignal(false);
  const waits = useSignal(false);
  const done = useSignal("");
  const over = useSignal(new AbortController());
  useEffect(() => () => over.value.abort(), []);
  const writing = writings.value.get(topic.topic) ?? { value: fresh(topic.schema, topic.schema) ?? null, text: null, key: key() };
  const write = (/** @type {Partial<Writing>} */ changed) => {
    done.value = "";
    const others = [...writings.value].filter(([name]) => name !== topic.topic).slice(1 - MOST);
    writings.value = new Map([...others, [topic.topic, { ...writing, key: key(), ...changed }]]);
  };
  const raw = writing.text !== null;
  const id = `publish-${topic.topic}`;

  /** @param {SubmitEvent} event */
  async function send(event) {
    event.preventDefault();
    if (sending.value) return;
    [misfits.value, refused.value, done.value] = [[], "", ""];
    const payload = writing.text ?? JSON.stringify(writing.value ?? null);
    const wrong = fault(payload);
    if (wrong) return void (refused.value = `This is not JSON: ${wrong}`);
    sending.value = true;
    try {
      // The text itself goes out, so that numbers larger than JavaScript's arrive as they were written.
      const body = `{"topic":${JSON.stringify(topic.topic)},"key":${JSON.stringify(writing.key)},"payload":${payload}}`;
      const told = await surely("publish", body, (away) => (waits.value = away), over.value.signal);
      write({ key: key() });
      done.value = told.positions[0].join(":");
    } catch (problem) {
      refusedBy(problem);
    }
    sending.value = false;
  }

  /** @param {unknown} problem */
  function refusedBy(problem) {
    if (!(problem instanceof Problem)) return tell(problem);
    misfits.value = problem.misfits;
    refused.value = !problem.misfits.length ? `${problem.code} ${problem.message}` : "";
    if (problem.misfits.length) requestAnimationFrame(() => focusRefused(id));
  }

  return html`
    <form class="publish" onSubmit=${send} noValidate aria-label=${`An event for ${topic.topic}`}>
      <div class="options ways" role="radiogroup" aria-label="How to write it">
        <label><input type="radio" name="way" checked=${!raw} onChange=${() => write(formed(writing))} /><span>Form</span></label>
        <label><input type="radio" name="way" checked=${raw} onChange=${() => write({ text: JSON.stringify(writing.value ?? {}, null, 2) })} /><span>JSON</span></label>
      </div>
      ${raw
        ? html`<label class="label" for=${`${id}-json`}>The payload as JSON</label>
            <textarea id=${`${id}-json`} class="code" rows="12" spellcheck="false" value=${writing.text} aria-invalid=${misfits.value.length || refused.value ? "true" : undefined} onInput=${(/** @type {InputEvent} */ event) => write({ text: /** @type {HTMLTextAreaElement} */ (event.target).value })}></textarea>
            ${misfits.value.length > 0 && html`<ul class="misfits">${misfits.value.map((one, index) => html`<li key=${index}><span class="code">${one.field.join(".") || "all of it"}</span> ${one.error}</li>`)}</ul>`}`
        : html`<${SchemaForm} schema=${topic.schema} value=${writing.value ?? undefined} set=${(/** @type {unknown} */ value) => write({ value })} misfits=${misfits.value} id=${id} label="Payload" />`}
      ${refused.value && html`<p class="wrong" role="alert">${refused.value}</p>`}
      ${waits.value && html`<p class="waits" role="status">The server does not answer. The event is kept, and published once as soon as it is back.</p>`}
      <p class="acts">
        <button class="primary" disabled=${sending.value}>${sending.value ? "Publishing" : "Publish"}</button>
        ${done.value && html`<span class="done" role="status">Published as <a href=${link({ tab: "events", event: done.value })}>${topic.topic} ${done.value}</a></span>`}
      </p>
    </form>
  `;
}

/** Back to the form, with what the JSON says where it says anything. @param {Writing} writing @returns {Partial<Writing>} */
function formed(writing) {
  try {
    return { value: JSON.parse(writing.text ?? "null") ?? undefined, text: null };
  } catch {
    return { text: null };
  }
}

/** Why a text is no JSON; "" where it is. @param {string} text */
function fault(text) {
  try {
    JSON.parse(text);
    return "";
  } catch (problem) {
    return problem instanceof Error ? problem.message : String(problem);
  }
}

/** A fresh key. @returns {string} */
const key = () => `board-${[...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
