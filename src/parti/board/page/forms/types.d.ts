// The shapes of forms: JSON schema as far as forms read it, and what a form holds.

export interface Schema {
  $ref?: string;
  $defs?: Record<string, Schema>;
  title?: string;
  description?: string;
  type?: string | string[];
  format?: string;
  enum?: unknown[];
  const?: unknown;
  default?: unknown;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
  items?: boolean | Schema;
  prefixItems?: Schema[];
  minItems?: number;
  maxItems?: number;
  maxLength?: number;
  pattern?: string;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  multipleOf?: number;
}

export type Kind = "text" | "number" | "boolean" | "choice" | "object" | "map" | "list" | "tuple" | "union" | "fixed" | "json";

/** A field as a form draws it: the schema behind references, and without the "or null". */
export interface Field {
  kind: Kind;
  schema: Schema;
  nullable: boolean;
  title: string;
  about: string;
  /** The alternatives of a union. */
  choices: Schema[];
}

/** Names and indices, from the outside in. */
export type Path = readonly (string | number)[];

export interface Misfit {
  field: (string | number)[];
  error: string;
}

/** What every field of a form has at hand. */
export interface Form {
  /** Where `$ref`s of the schema lead. */
  root: Schema;
  /** What begins the ids of its elements. */
  id: string;
  errorAt: (path: Path) => string;
}

/** A field in its place: its value, what changes it, and how deep it lies. */
export interface Place {
  form: Form;
  schema: Schema;
  path: Path;
  label: string;
  required: boolean;
  value: unknown;
  set: (value: unknown) => void;
}
