// The fields of a form that hold one value each: texts, numbers, choices, dates.

/** @import { Field, Place, Schema } from "./types.js" */
import { html, useSignal } from "../html.js";
import { NOTHING, bounds, keyOf } from "./schema.js";

/** Alternatives up to this many stand side by side; more are chosen from a list. */
const SIDE_BY_SIDE = 4;
/** Characters of an alternative up to which they do. */
const SHORT = 16;
const LONG_TEXT = 200;

/** @typedef {Place & { field: Field }} Props */

/** The id of a field. @param {Place} place */
export const idOf = ({ form, path }) => `${form.id}-${keyOf(path)}`;

/**
 * What stands around every field: its label above, what it may be and why it was refused below.
 * @param {{ place: Props, children?: unknown, group?: boolean }} props `group`: several elements answer to the label
 */
export function Around({ place, children, group = false }) {
  const { label, required, field } = place;
  const id = idOf(place);
  const name = html`${label}${!required && html` <span class="optional">optional</span>`}`;
  return html`
    <div class="field" role=${group ? "group" : undefined} aria-labelledby=${group ? `${id}-label` : undefined}>
      ${group ? html`<span class="label" id=${`${id}-label`}>${name}</span>` : html`<label class="label" for=${id}>${name}</label>`}
      ${children}
      <${Below} place=${place} words=${[field.about, bounds(field.schema)].filter(Boolean).join(" · ")} />
    </div>
  `;
}

/** @param {{ place: Place, words?: string }} props */
export function Below({ place, words = "" }) {
  const error = place.form.errorAt(place.path);
  return html`
    ${words && html`<p class="hint" id=${`${idOf(place)}-hint`}>${words}</p>`}
    ${error && html`<p class="wrong" id=${`${idOf(place)}-wrong`} role="alert">${error}</p>`}
  `;
}

/** What readers of the screen are told of a field. @param {Place} place */
export function told(place) {
  const wrong = place.form.errorAt(place.path) !== "";
  return { id: idOf(place), "aria-invalid": wrong ? "true" : undefined, "aria-describedby": `${idOf(place)}-hint ${idOf(place)}-wrong`, "aria-required": place.required ? "true" : undefined };
}

/** @param {Event} event */
const written = (event) => /** @type {HTMLInputElement} */ (event.target).value;

/** What stands in for a default, faint. @param {Schema} schema */
const otherwise = (schema) => (schema.default === undefined || schema.default === null ? "" : typeof schema.default === "string" ? schema.default : JSON.stringify(schema.default));

/** @param {Props} place */
export function Text(place) {
  const { field, value, set, required } = place;
  const { format, maxLength = 0 } = field.schema;
  const empty = required && !field.nullable && field.schema.default === undefined ? "" : NOTHING;
  if (format === "date-time") return html`<${Moment} ...${place} />`;
  const type = { date: "date", time: "time", email: "email", uri: "url" }[format ?? ""] ?? "text";
  const onInput = (/** @type {Event} */ event) => set(written(event) || (type === "text" ? empty : NOTHING));
  const held = typeof value === "string" ? value : "";
  const long = type === "text" && (maxLength > LONG_TEXT || (place.path.length === 0 && !format) || held.includes("\n"));
  return html`
    <${Around} place=${place}>
      ${long
        ? html`<textarea rows="3" ...${told(place)} value=${held} onInput=${onInput} placeholder=${otherwise(field.schema)}></textarea>`
        : html`<input type=${type} step="any" ...${told(place)} value=${held} onInput=${onInput} placeholder=${otherwise(field.schema)} autocomplete="off" spellcheck="false" />`}
    <//>
  `;
}

/** A moment, in the time zone of the browser; it is sent in UTC. @param {Props} place */
function Moment(place) {
  const written_ = useSignal(local(place.value));
  return html`
    <${Around} place=${place}>
      <input type="datetime-local" step="1" ...${told(place)} value=${written_.value} onInput=${(/** @type {Event} */ event) => {
        written_.value = written(event);
        const moment = new Date(written_.value);
        place.set(Number.isNaN(moment.getTime()) ? NOTHING : moment.toISOString());
      }} />
    <//>
  `;
}

/** A moment as an input of the browser's own zone holds it. @param {unknown} value */
function local(value) {
  const moment = new Date(typeof value === "string" ? value : "");
  if (Number.isNaN(moment.getTime())) return "";
  return new Date(moment.getTime() - moment.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

/** A number. What is none is sent as it was written, and refused by name. @param {Props} place */
export function Num(place) {
  const { field, value, set } = place;
  const kept = useSignal(value === NOTHING || value === null ? "" : String(value));
  const shown = numbered(kept.value) === value ? kept.value : value === NOTHING || value === null ? "" : String(value);
  return html`
    <${Around} place=${place}>
      <input type="text" inputmode="decimal" class="number" ...${told(place)} value=${shown} placeholder=${otherwise(field.schema)} autocomplete="off"
        onInput=${(/** @type {Event} */ event) => {
          kept.value = written(event);
          set(numbered(kept.value));
        }} />
    <//>
  `;
}

/** The number that a text says; numbers that JavaScript cannot hold stay texts. @param {string} text */
function numbered(text) {
  const bare = text.trim();
  const number = Number(bare);
  if (!bare) return NOTHING;
  const exact = Number.isFinite(number) && (Number.isSafeInteger(number) || !Number.isInteger(number) || /[.e]/i.test(bare));
  return exact ? number : bare;
}

/** @param {Props} place */
export const YesNo = (place) => html`<${Options} place=${place} options=${[true, false]} words=${["Yes", "No"]} />`;

/** @param {Props} place */
export function Choice(place) {
  const options = place.field.schema.enum ?? [];
  return html`<${Options} place=${place} options=${options} words=${options.map((one) => (typeof one === "string" ? one : JSON.stringify(one)))} />`;
}

/** @param {{ place: Props, options: unknown[], words: string[] }} props */
function Options({ place, options, words }) {
  const { field, value, set, required } = place;
  const { default: standard } = field.schema;
  const none = field.nullable || !required;
  if (options.length <= SIDE_BY_SIDE && words.every((one) => one.length <= SHORT)) {
    return html`
      <${Around} place=${place} group=${true}>
        <div class="options">
          ${options.map((one, index) => html`
            <label key=${index}><input type="radio" name=${idOf(place)} ...${index ? {} : told(place)} checked=${value === one} onChange=${() => set(one)} /><span>${words[index]}</span></label>
          `)}
          ${none && html`<label><input type="radio" name=${idOf(place)} checked=${value === NOTHING || value === null} onChange=${() => set(NOTHING)} /><span class="quiet">${standard === undefined || standard === null ? "none" : "default"}</span></label>`}
        </div>
      <//>
    `;
  }
  const at = options.indexOf(value);
  return html`
    <${Around} place=${place}>
      <select ...${told(place)} onChange=${(/** @type {Event} */ event) => set(options[Number(written(event))])}>
        <option value="" selected=${at < 0}>${!none ? "Choose" : standard === undefined || standard === null ? "–" : `default: ${words[options.indexOf(standard)] ?? JSON.stringify(standard)}`}</option>
        ${words.map((one, index) => html`<option key=${index} value=${index} selected=${index === at}>${one}</option>`)}
      </select>
    <//>
  `;
}

/** What can be one thing alone. @param {Props} place */
export const Fixed = (place) => html`
  <div class="field"><span class="label">${place.label}</span><code class="code">${JSON.stringify(place.field.schema.const)}</code><${Below} place=${place} /></div>
`;

/** Anything, written as JSON. @param {Props} place */
export function Json(place) {
  const text = useSignal(place.value === NOTHING ? "" : JSON.stringify(place.value, null, 2));
  const wrong = useSignal("");
  return html`
    <${Around} place=${place}>
      <textarea rows="3" class="code" spellcheck="false" ...${told(place)} value=${text.value} placeholder="JSON" onInput=${(/** @type {Event} */ event) => {
        text.value = written(event);
        try {
          place.set(text.value.trim() ? JSON.parse(text.value) : NOTHING);
          wrong.value = "";
        } catch (problem) {
          wrong.value = problem instanceof Error ? problem.message : String(problem);
        }
      }}></textarea>
      ${wrong.value && html`<p class="wrong" role="alert">${wrong.value}</p>`}
    <//>
  `;
}
