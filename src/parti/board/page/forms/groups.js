// The fields of a form that hold other fields: objects, lists, maps, and what can be one of several things.

/** @import { Field, Place, Schema } from "./types.js" */
import { html, useSignal } from "../html.js";
import { NOTHING, alternativeOf, bounds, fieldOf, fresh, nameOf } from "./schema.js";
import { Below, idOf, told } from "./inputs.js";

/** Fields and items that are drawn before more are asked for. */
const PAGE = 40;

/** @typedef {Place & { field: Field, draw: (place: Place) => unknown }} Props */

/** Lines around a group, with its name; a group that may be left out is added and taken away. @param {{ place: Props, empty: unknown, children?: unknown }} props */
function Framed({ place, empty, children }) {
  const { label, required, value, set, field, path } = place;
  const optional = !required || field.nullable;
  const absent = value === NOTHING || value === null;
  const words = [field.about, bounds(field.schema)].filter(Boolean).join(" · ");
  if (optional && absent) {
    return html`<div class="field left-out"><span class="label">${label} <span class="optional">optional</span></span>
      <button type="button" class="link" ...${told(place)} onClick=${() => set(empty)}>Add ${label}</button><${Below} place=${place} /></div>`;
  }
  return html`
    <fieldset class=${path.length ? "group" : "group whole"}>
      <legend class=${path.length ? "label" : "unseen"}>${label}${optional && html` <button type="button" class="link" onClick=${() => set(required ? null : NOTHING)}>Leave out</button>`}</legend>
      <${Below} place=${place} words=${words} />
      ${children}
    </fieldset>
  `;
}

/** An object with names that are known. @param {Props} place */
export function Group(place) {
  const { field, form, path, value, set, draw: Draw } = place;
  const most = useSignal(PAGE);
  const held = objectOf(value);
  const required = new Set(field.schema.required ?? []);
  const names = Object.keys(field.schema.properties ?? {});
  return html`
    <${Framed} place=${place} empty=${fresh({ ...field.schema, anyOf: undefined }, form.root) ?? {}}>
      ${names.slice(0, most.value).map((name) => {
        const schema = /** @type {Schema} */ (field.schema.properties?.[name]);
        return html`<${Draw} key=${name} form=${form} schema=${schema} path=${[...path, name]} label=${name} required=${required.has(name)}
          value=${held[name]} set=${(/** @type {unknown} */ inner) => set(withName(held, name, inner, schema, form.root, required.has(name)))} />`;
      })}
      <${More} left=${names.length - most.value} more=${() => (most.value += PAGE * 4)} />
      ${!names.length && html`<p class="hint">It has no fields.</p>`}
    <//>
  `;
}

/** An object with one name changed; one that must be there but may be null is null. @param {Record<string, unknown>} held @param {string} name @param {unknown} inner @param {Schema} schema @param {Schema} root @param {boolean} required */
function withName(held, name, inner, schema, root, required) {
  const { [name]: _, ...others } = held;
  if (inner !== NOTHING) return { ...held, [name]: inner };
  return required && fieldOf(schema, root).nullable ? { ...held, [name]: null } : others;
}

/** A list, or a tuple whose items are named by their places. @param {Props} place */
export function Items(place) {
  const { field, form, path, value, set, draw: Draw, label } = place;
  const most = useSignal(PAGE);
  const items = Array.isArray(value) ? value : [];
  const places = field.schema.prefixItems ?? [];
  const inner = typeof field.schema.items === "object" ? field.schema.items : {};
  const grows = field.kind === "list" || typeof field.schema.items === "object";
  const full = items.length >= (field.schema.maxItems ?? Infinity);
  return html`
    <${Framed} place=${place} empty=${field.kind === "tuple" ? fresh(field.schema, form.root) : []}>
      ${items.slice(0, most.value).map((item, index) => html`
        <div class="item" key=${index}>
          <${Draw} form=${form} schema=${places[index] ?? inner} path=${[...path, index]} label=${`${label} ${index + 1}`} required=${true}
            value=${item ?? NOTHING} set=${(/** @type {unknown} */ one) => set(items.with(index, one ?? null))} />
          ${index >= places.length && html`<button type="button" class="plain" aria-label=${`Take ${label} ${index + 1} away`} title="Take away" onClick=${() => set(items.toSpliced(index, 1))}>×</button>`}
        </div>
      `)}
      <${More} left=${items.length - most.value} more=${() => (most.value += PAGE * 4)} />
      ${grows && html`<button type="button" class="secondary small" ...${told(place)} disabled=${full} onClick=${() => {
        most.value = Math.max(most.value, items.length + 1);
        set([...items, fresh(inner, form.root) ?? null]);
      }}>Add to ${label}</button>`}
    <//>
  `;
}

/** An object whose names are free. @param {Props} place */
export function Named(place) {
  const { field, form, path, value, set, draw: Draw, label } = place;
  const name = useSignal("");
  const held = objectOf(value);
  const inner = typeof field.schema.additionalProperties === "object" ? field.schema.additionalProperties : {};
  const add = () => {
    if (!name.value || Object.hasOwn(held, name.value)) return;
    set({ ...held, [name.value]: fresh(inner, form.root) ?? null });
    name.value = "";
  };
  return html`
    <${Framed} place=${place} empty=${{}}>
      ${Object.keys(held).slice(0, PAGE * 4).map((one) => html`
        <div class="item" key=${one}>
          <${Draw} form=${form} schema=${inner} path=${[...path, one]} label=${one} required=${true} value=${held[one] ?? NOTHING} set=${(/** @type {unknown} */ item) => set({ ...held, [one]: item ?? null })} />
          <button type="button" class="plain" aria-label=${`Take ${one} away`} title="Take away" onClick=${() => set(Object.fromEntries(Object.entries(held).filter(([other]) => other !== one)))}>×</button>
        </div>
      `)}
      <div class="naming">
        <input aria-label=${`A name in ${label}`} placeholder="name" ...${told(place)} value=${name.value} onInput=${(/** @type {Event} */ event) => (name.value = /** @type {HTMLInputElement} */ (event.target).value)}
          onKeyDown=${(/** @type {KeyboardEvent} */ event) => event.key === "Enter" && (event.preventDefault(), add())} />
        <button type="button" class="secondary small" onClick=${add}>Add</button>
      </div>
    <//>
  `;
}

/** What can be one of several things: which, and then its own fields. @param {Props} place */
export function Union(place) {
  const { field, form, value, set, label, draw: Draw } = place;
  const absent = value === NOTHING || value === null;
  const chosen = useSignal(absent && (field.nullable || !place.required) ? -1 : alternativeOf(field, value, form.root));
  const schema = field.choices[chosen.value];
  const choose = (/** @type {Event} */ event) => {
    chosen.value = Number(/** @type {HTMLSelectElement} */ (event.target).value);
    const next = field.choices[chosen.value];
    set(next ? fresh(next, form.root) : NOTHING);
  };
  return html`
    <div class="field union">
      <label class="label" for=${`${idOf(place)}-which`}>${label}${!place.required && html` <span class="optional">optional</span>`}</label>
      <select id=${`${idOf(place)}-which`} onChange=${choose}>
        ${(field.nullable || !place.required) && html`<option value="-1" selected=${chosen.value === -1}>–</option>`}
        ${field.choices.map((one, index) => html`<option key=${index} value=${index} selected=${index === chosen.value}>${nameOf(one, form.root, index)}</option>`)}
      </select>
      ${schema ? html`<${Draw} key=${chosen.value} ...${place} schema=${schema} label=${nameOf(schema, form.root, chosen.value)} required=${true} />` : html`<${Below} place=${place} />`}
    </div>
  `;
}

/** @param {{ left: number, more: () => void }} props */
const More = ({ left, more }) => (left > 0 ? html`<button type="button" class="link" onClick=${more}>Show more: ${left} are left</button>` : null);

/** @param {unknown} value @returns {Record<string, unknown>} */
const objectOf = (value) => (typeof value === "object" && value !== null && !Array.isArray(value) ? /** @type {Record<string, unknown>} */ (value) : {});
