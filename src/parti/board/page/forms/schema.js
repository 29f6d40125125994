// JSON schema, read for a form: what kind of field each part of it is, and what the field holds at first.

/** @import { Field, Kind, Path, Schema } from "./types.js" */

/** References that are followed in a row, and how deep required objects are made at once. */
const DEEPEST = 12;

/** A value that was left out. An object has no such name then. */
export const NOTHING = undefined;

/**
 * The field for a schema.
 * @param {Schema} schema @param {Schema} root @returns {Field}
 */
export function fieldOf(schema, root) {
  const outer = followed(schema, root);
  const parts = (outer.anyOf ?? outer.oneOf ?? []).map((one) => followed(one, root));
  const others = parts.filter((one) => one.type !== "null");
  const nullable = others.length < parts.length || (Array.isArray(outer.type) && outer.type.includes("null"));
  const only = others.length === 1 && others[0] ? { ...others[0], ...titled(outer) } : outer;
  const kind = kindOf(only, others.length > 1);
  return { kind, schema: only, nullable, title: schema.title ?? outer.title ?? "", about: outer.description ?? "", choices: others };
}

/** What tells of a schema, without what it stands for. @param {Schema} schema @returns {Schema} */
function titled({ title, description, default: otherwise }) {
  return { ...(title !== undefined && { title }), ...(description !== undefined && { description }), ...(otherwise !== undefined && { default: otherwise }) };
}

/** @param {Schema} schema @param {boolean} union @returns {Kind} */
function kindOf(schema, union) {
  if (Object.hasOwn(schema, "const")) return "fixed";
  if (schema.enum) return "choice";
  if (union) return isDecimal(schema) ? "number" : "union";
  const type = Array.isArray(schema.type) ? schema.type.find((one) => one !== "null") : schema.type;
  if (type === "string") return "text";
  if (type === "number" || type === "integer") return "number";
  if (type === "boolean") return "boolean";
  if (type === "array") return schema.prefixItems ? "tuple" : "list";
  if (type === "object") return schema.properties || schema.additionalProperties === false ? "object" : "map";
  return "json";
}

/** A decimal number, which Pydantic takes as a number or as its text. @param {Schema} schema */
function isDecimal(schema) {
  const types = (schema.anyOf ?? []).map((one) => one.type).filter((one) => one !== "null");
  return types.length === 2 && types.includes("number") && types.includes("string");
}

/** The schema behind references. @param {Schema} schema @param {Schema} root @returns {Schema} */
export function followed(schema, root) {
  let at = schema;
  for (let left = DEEPEST; left > 0; left--) {
    const next = at.$ref ? target(at.$ref, root) : at.allOf?.length === 1 ? at.allOf[0] : undefined;
    if (!next) return at;
    at = { ...next, ...titled(at) };
  }
  return {};
}

/** @param {string} reference @param {Schema} root @returns {Schema} */
function target(reference, root) {
  /** @type {unknown} */
  let at = root;
  for (const part of reference.replace(/^#\/?/, "").split("/").filter(Boolean)) {
    const name = decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~");
    at = typeof at === "object" && at !== null && Object.hasOwn(at, name) ? /** @type {Record<string, unknown>} */ (at)[name] : {};
  }
  return /** @type {Schema} */ (at);
}

/**
 * What a field holds before anybody wrote into it: objects with what they must have, constants, and nothing else.
 * @param {Schema} schema @param {Schema} root @returns {unknown}
 */
export function fresh(schema, root, depth = 0) {
  const field = fieldOf(schema, root);
  if (field.kind === "fixed") return field.schema.const;
  if (depth > DEEPEST || field.nullable) return NOTHING;
  if (field.kind === "map") return {};
  if (field.kind === "list") return [];
  if (field.kind === "tuple") return (field.schema.prefixItems ?? []).map((one) => fresh(one, root, depth + 1) ?? null);
  if (field.kind === "union") return field.choices[0] && fresh(field.choices[0], root, depth + 1);
  if (field.kind !== "object") return NOTHING;
  const required = new Set(field.schema.required ?? []);
  const names = Object.entries(field.schema.properties ?? {}).filter(([name, one]) => required.has(name) || Object.hasOwn(followed(one, root), "const"));
  return Object.fromEntries(names.map(([name, one]) => [name, fresh(one, root, depth + 1)]).filter(([, value]) => value !== NOTHING));
}

/** Which alternative of a union a value is most like. @param {Field} field @param {unknown} value @param {Schema} root */
export function alternativeOf(field, value, root) {
  const points = field.choices.map((one) => likeness(fieldOf(one, root), value, root));
  return Math.max(points.indexOf(Math.max(...points)), 0);
}

/** How much a value is like a field: 0 for not at all. @param {Field} field @param {unknown} value @param {Schema} root */
function likeness(field, value, root) {
  if (value === NOTHING || value === null) return 0;
  if (field.kind === "fixed") return field.schema.const === value ? 3 : 0;
  if (field.kind === "choice") return field.schema.enum?.includes(value) ? 2 : 0;
  if (field.kind === "text") return typeof value === "string" ? 1 : 0;
  if (field.kind === "number") return typeof value === "number" ? 2 : 0;
  if (field.kind === "boolean") return typeof value === "boolean" ? 2 : 0;
  if (field.kind === "list" || field.kind === "tuple") return Array.isArray(value) ? 2 : 0;
  if (typeof value !== "object" || Array.isArray(value)) return 0;
  const given = /** @type {Record<string, unknown>} */ (value);
  const known = Object.entries(field.schema.properties ?? {});
  const fixed = known.filter(([, one]) => Object.hasOwn(followed(one, root), "const"));
  if (fixed.some(([name, one]) => Object.hasOwn(given, name) && followed(one, root).const !== given[name])) return 0;
  return 1 + known.filter(([name]) => Object.hasOwn(given, name)).length + fixed.length;
}

/** A title as people read it. @param {Schema} schema @param {Schema} root @param {number} index */
export function nameOf(schema, root, index) {
  const one = followed(schema, root);
  return one.title ?? (Array.isArray(one.type) ? one.type.join(" or ") : one.type) ?? `form ${index + 1}`;
}

/** What a field must be, in words: "from 0 to 1", "at most 90 characters". @param {Schema} schema */
export function bounds(schema) {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, maxLength, format, minItems, maxItems, pattern } = schema;
  const least = minimum !== undefined ? `from ${minimum}` : exclusiveMinimum !== undefined ? `more than ${exclusiveMinimum}` : "";
  const most = maximum !== undefined ? `to ${maximum}` : exclusiveMaximum !== undefined ? `less than ${exclusiveMaximum}` : "";
  return [
    `${least} ${most}`.trim(),
    maxLength !== undefined && `at most ${maxLength} characters`, pattern !== undefined && `like ${pattern}`,
    minItems !== undefined && `at least ${minItems}`, maxItems !== undefined && `at most ${maxItems}`,
    format !== undefined && !["date", "time", "date-time"].includes(format) && format,
  ].filter(Boolean).join(", ");
}

/** @param {Path} path */
export const keyOf = (path) => path.map(String).join("/");
