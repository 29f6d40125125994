// What narrows the list of runs down; every choice is a word of the address.

import { html, useEffect, useRef } from "../html.js";
import { picture } from "../live.js";
import { address, go } from "../routes.js";

/** The words of the address. */
export const WORDS = ["part", "state", "key", "tenant", "text", "within", "since", "until", "follow", "after"];

const STATES = ["queued", "running", "waiting", "backoff", "parked", "done", "dead", "cancelled"];
const RUNNERS = new Set(["handler", "endpoint", "schedule"]);
const SPANS = [["", "At any time"], ["300", "The last 5 minutes"], ["3600", "The last hour"], ["86400", "The last day"], ["between", "Between …"]];

/** @param {{ words: Record<string, string> }} props */
export function Filters({ words }) {
  const parts = (picture.value?.parts ?? []).filter((part) => RUNNERS.has(part.kind)).map((part) => part.name);
  const names = words.part && !parts.includes(words.part) ? [words.part, ...parts] : parts;
  const between = Boolean(words.since || words.until);
  const choose = (/** @type {Record<string, string>} */ chosen) => go("runs", "", { ...wordsOf(address.peek().query), after: "", ...chosen });
  /** @param {Event} event */
  function changed(event) {
    const field = /** @type {HTMLInputElement | HTMLSelectElement} */ (event.target);
    const value = field.value.trim();
    if (field.name === "within") choose(spanOf(value));
    else if (field.type === "datetime-local") choose({ within: "", [field.name]: value ? String(Date.parse(value) / 1000) : "" });
    else choose({ [field.name]: value });
  }
  return html`
    <search><form class="filters" onChange=${changed} onSubmit=${(/** @type {Event} */ event) => event.preventDefault()}>
      <label class="long">Text <${Typed} type="search" name="text" value=${words.text} placeholder="In input, result or error" /></label>
      <label>Part <select name="part" value=${words.part}><option value="">All</option>${names.map((name) => html`<option key=${name}>${name}</option>`)}</select></label>
      <label>State <select name="state" value=${words.state}><option value="">All</option>${STATES.map((state) => html`<option key=${state}>${state}</option>`)}</select></label>
      <label>Key <${Typed} type="text" name="key" value=${words.key} placeholder="The whole key" /></label>
      <label>Created <select name="within" value=${between ? "between" : words.within}>${SPANS.map(([value, said]) => html`<option key=${value} value=${value}>${said}</option>`)}</select></label>
      ${between && html`
        <label>From <${Typed} type="datetime-local" name="since" value=${local(words.since)} /></label>
        <label>Until <${Typed} type="datetime-local" name="until" value=${local(words.until)} /></label>
      `}
    </form></search>
  `;
}

/**
 * A field that says what the address says, as soon as that changes; what is half typed stays while the page draws itself again.
 * @param {{ type: string, name: string, value: string, placeholder?: string }} props
 */
function Typed({ type, name, value, placeholder = "" }) {
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));
  useEffect(() => {
    if (field.current) field.current.value = value;
  }, [value]);
  return html`<input ref=${field} type=${type} name=${name} placeholder=${placeholder} step="1" spellcheck="false" />`;
}

/** Every word, "" where the address has it not. @param {URLSearchParams} query @returns {Record<string, string>} */
export const wordsOf = (query) => Object.fromEntries(WORDS.map((word) => [word, query.get(word) ?? ""]));

/** A chosen span as words of the address. @param {string} value @returns {Record<string, string>} */
function spanOf(value) {
  if (value !== "between") return { within: value, since: "", until: "" };
  return { within: "", since: String(Math.floor(Date.now() / 1000) - 3600), until: "" };
}

/** A moment as the browser's field for one has it, in the time of this place. @param {string | undefined} at seconds since 1970 */
function local(at) {
  const moment = new Date(Number(at) * 1000);
  if (!at || Number.isNaN(moment.valueOf())) return "";
  return new Date(moment.valueOf() - moment.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}
