// A value out of a payload, an argument, an answer: a tree that opens, with masked fields and a way to see one.

/** @import { Masked, Shown } from "../types.js" */
import { html, useSignal } from "../html.js";
import { Hidden } from "./hidden.js";

/** Items of a list that are drawn before more are asked for. */
const PAGE = 50;
/** Characters of a text that are drawn before all is asked for. */
const LONG = 600;
/** How deep, and how many of them, items are open at first. */
const OPEN_DEPTH = 2;
const OPEN_MOST = 12;

/** What hides where, by its JSON pointer. @typedef {ReadonlyMap<string, Masked>} Hiding */

/** @param {{ shown: Shown | null, label: string }} props `label` says what the value is, for readers of the screen */
export function Value({ shown, label }) {
  if (!shown) return html`<p class="quiet">Nothing.</p>`;
  const hiding = new Map(shown.masked.map((one) => [one.path, one]));
  const lost = shown.masked.filter((one) => shown.cut > 0 || !reaches(shown.value, one.path));
  return html`
    <div class="value" role="group" aria-label=${label}>
      ${shown.cut > 0 ? html`<${Beginning} shown=${shown} />` : html`<${Node} value=${shown.value} pointer="" hiding=${hiding} depth=${0} />`}
      ${lost.length > 0 && html`<${Lost} masked=${lost} />`}
    </div>
  `;
}

/** A plain value, of which nothing is masked. @param {{ value: unknown, label: string }} props */
export const Plain = ({ value, label }) => html`<${Value} shown=${{ value, masked: [], cut: 0 }} label=${label} />`;

/** The beginning of what is too large to be sent. @param {{ shown: Shown }} props */
const Beginning = ({ shown }) => html`
  <${Text} text=${String(shown.value)} />
  <p class="quiet">${shown.cut.toLocaleString("en")} more characters are not shown: the value is too large.</p>
`;

/** Fields that are masked somewhere that the tree does not reach. @param {{ masked: Masked[] }} props */
const Lost = ({ masked }) => html`
  <ul class="lost">${masked.slice(0, PAGE).map((one) => html`<li key=${one.place}><span class="name">${one.path || "all of it"}</span> <${Hidden} masked=${one} /></li>`)}</ul>
`;

/** @param {{ value: unknown, pointer: string, hiding: Hiding, depth: number }} props */
function Node({ value, pointer, hiding, depth }) {
  const masked = hiding.get(pointer);
  if (masked) return html`<${Hidden} masked=${masked} />`;
  if (typeof value === "string") return html`<${Text} text=${value} />`;
  if (value === null || typeof value !== "object") return html`<span class=${value === null ? "null" : typeof value}>${String(value)}</span>`;
  return html`<${Branch} value=${value} pointer=${pointer} hiding=${hiding} depth=${depth} />`;
}

/** @param {{ value: object, pointer: string, hiding: Hiding, depth: number }} props */
function Branch({ value, pointer, hiding, depth }) {
  const entries = Object.entries(value);
  const most = useSignal(PAGE);
  const open = useSignal(depth === 0 || (depth < OPEN_DEPTH && entries.length <= OPEN_MOST));
  const size = Array.isArray(value) ? `[${entries.length}]` : `{${entries.length}}`;
  if (!entries.length) return html`<span class="null">${Array.isArray(value) ? "[]" : "{}"}</span>`;
  const left = entries.length - most.value;
  const items = open.value && html`
    <dl>${entries.slice(0, most.value).map(([name, item]) => html`
      <div key=${name}><dt class="name">${name}</dt><dd><${Node} value=${item} pointer=${`${pointer}/${escaped(name)}`} hiding=${hiding} depth=${depth + 1} /></dd></div>
    `)}</dl>
    ${left > 0 && html`<button class="link" onClick=${() => (most.value += PAGE * 4)}>Show ${Math.min(left, PAGE * 4)} more of ${left.toLocaleString("en")}</button>`}
  `;
  if (depth === 0) return html`<div>${items}</div>`;
  return html`
    <div class="branch">
      <button class="fold" aria-expanded=${open.value} onClick=${() => (open.value = !open.value)}>${open.value ? "▾" : "▸"} <span class="null">${size}</span></button>
      ${items}
    </div>
  `;
}

/** @param {{ text: string }} props */
function Text({ text }) {
  const all = useSignal(false);
  if (text === "") return html`<span class="null">""</span>`;
  const long = text.length > LONG && !all.value;
  return html`<span class="string">${long ? text.slice(0, LONG) : text}</span>${long && html`… <button class="link" onClick=${() => (all.value = true)}>all ${text.length.toLocaleString("en")} characters</button>`}`;
}

/** A name in a JSON pointer (RFC 6901). @param {string} name */
const escaped = (name) => name.replaceAll("~", "~0").replaceAll("/", "~1");

/** Whether the tree has something at a pointer. @param {unknown} value @param {string} pointer */
function reaches(value, pointer) {
  let at = value;
  for (const part of pointer.split("/").slice(1)) {
    const name = part.replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, name)) return false;
    at = /** @type {Record<string, unknown>} */ (at)[name];
  }
  return true;
}
