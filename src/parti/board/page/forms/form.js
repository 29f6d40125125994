// A form made from a JSON schema: fields, groups of fields, and the reason of a refusal at the field it is about.

/** @import { Form, Misfit, Path, Place, Schema } from "./types.js" */
import { html } from "../html.js";
import { Group, Items, Named, Union } from "./groups.js";
import { Choice, Fixed, Json, Num, Text, YesNo } from "./inputs.js";
import { fieldOf, keyOf } from "./schema.js";

/**
 * @param {{ schema: Schema, value: unknown, set: (value: unknown) => void, misfits: Misfit[], id: string, label: string }} props
 * `label` names the whole value
 */
export function SchemaForm({ schema, value, set, misfits, id, label }) {
  const errors = placed(misfits, value);
  /** @type {Form} */
  const form = { root: schema, id, errorAt: (path) => errors.get(keyOf(path)) ?? "" };
  return html`<${Any} form=${form} schema=${schema} path=${[]} label=${label} required=${true} value=${value} set=${set} />`;
}

const DRAWN = { text: Text, number: Num, boolean: YesNo, choice: Choice, fixed: Fixed, json: Json, object: Group, map: Named, list: Items, tuple: Items, union: Union };

/** One field, of whatever kind. @param {Place} place */
export function Any(place) {
  const field = fieldOf(place.schema, place.form.root);
  const kind = place.path.length > 16 ? "json" : field.kind;
  const Drawn = DRAWN[kind];
  return html`<${Drawn} key=${kind} ...${place} field=${field} draw=${Any} />`;
}

/**
 * Misfits by the field that shows them: the nearest one around that a form has. Names of alternatives, which
 * Pydantic puts into a place, lie on no path of the value and are passed over.
 * @param {Misfit[]} misfits @param {unknown} value @returns {Map<string, string>}
 */
function placed(misfits, value) {
  /** @type {Map<string, string>} */
  const found = new Map();
  for (const { field, error } of misfits) {
    const key = keyOf(within(field, value));
    found.set(key, found.has(key) ? `${found.get(key)}; ${error}` : error);
  }
  return found;
}

/** The part of a place that leads through the value; what is missing in it may be the last name. @param {Path} field @param {unknown} value */
function within(field, value) {
  /** @type {(string | number)[]} */
  const path = [];
  let at = value;
  field.forEach((name, index) => {
    if (typeof at !== "object" || at === null) return;
    if (Object.hasOwn(at, name)) at = /** @type {Record<string, unknown>} */ (at)[name];
    else if (index < field.length - 1) return;
    else at = null;
    path.push(name);
  });
  return path;
}

/** Focus the first field that was refused. @param {string} id of the form */
export function focusRefused(id) {
  const wrong = document.querySelector(`[id^="${CSS.escape(id)}"][aria-invalid="true"]`);
  if (wrong instanceof HTMLElement) wrong.focus();
}
