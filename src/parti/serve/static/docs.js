// Draws /openapi.json: operations, their parameters and schemas, and a form to try each one.
// All text of the description enters the page as text, never as markup.
"use strict";

let description = null;

function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function resolve(schema) {
  const name = schema.$ref && schema.$ref.split("/").pop();
  return name ? description.components.schemas[name] : schema;
}

function typeText(schema) {
  if (schema.$ref) return schema.$ref.split("/").pop();
  const union = schema.anyOf || schema.oneOf;
  if (union) return union.map(typeText).join(" | ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (schema.type === "array") return `list of ${schema.items ? typeText(schema.items) : "any"}`;
  if (Array.isArray(schema.type)) return schema.type.join(" | ");
  if (schema.format) return `${schema.type} (${schema.format})`;
  return schema.type || "any";
}

// The type, with the name of each schema leading to it.
function typeCode(schema) {
  const code = make("code");
  const names = Object.keys(description.components.schemas);
  for (const word of typeText(schema).split(/(?<=[\s|])|(?=[\s|])/)) {
    code.append(names.includes(word) ? make("a", { href: `#schema-${word}` }, word) : word);
  }
  return code;
}

const LIMITS = {
  minimum: "≥", exclusiveMinimum: ">", maximum: "≤", exclusiveMaximum: "<", minLength: "length ≥",
  maxLength: "length ≤", minItems: "items ≥", maxItems: "items ≤", pattern: "pattern",
};

function notes(schema) {
  const found = Object.keys(LIMITS).filter((key) => key in schema).map((key) => `${LIMITS[key]} ${schema[key]}`);
  if (schema.default !== undefined) found.push(`default ${JSON.stringify(schema.default)}`);
  if (schema.description) found.unshift(schema.description);
  return found.join(", ");
}

// An example value: enough to start typing from. `seen` stops schemas that contain themselves.
function example(schema, seen = []) {
  if (schema.$ref && seen.includes(schema.$ref)) return null;
  const inner = schema.$ref ? [...seen, schema.$ref] : seen;
  const real = resolve(schema);
  if (real.examples) return real.examples[0];
  if (real.default !== undefined) return real.default;
  if (real.const !== undefined) return real.const;
  if (real.enum) return real.enum[0];
  const union = real.anyOf || real.oneOf;
  if (union) return example(union[0], inner);
  switch (Array.isArray(real.type) ? real.type[0] : real.type) {
    case "object": {
      const names = Object.keys(real.properties || {});
      return Object.fromEntries(names.map((name) => [name, example(real.properties[name], inner)]));
    }
    case "array": {
      const value = real.items ? example(real.items, inner) : null;
      return value === null ? [] : [value];
    }
    case "integer":
    case "number": return real.minimum ?? (real.exclusiveMinimum ?? -1) + 1;
    case "boolean": return false;
    case "string": return { "date-time": "2030-01-01T00:00:00Z", date: "2030-01-01" }[real.format] ?? "text";
    default: return null;
  }
}

function table(heads, rows) {
  const head = make("tr", {}, ...heads.map((text) => make("th", { scope: "col" }, text)));
  const body = rows.map((cells) => make("tr", {}, ...cells.map((cell) => make("td", {}, cell))));
  return make("table", {}, make("thead", {}, head), make("tbody", {}, ...body));
}

function fields(schema) {
  const real = resolve(schema);
  if (!real.properties) return make("p", {}, typeCode(schema));
  const required = real.required || [];
  const rows = Object.entries(real.properties).map(([name, field]) => [
    make("code", {}, name), typeCode(field), required.includes(name) ? "yes" : "no", notes(field),
  ]);
  return table(["Field", "Type", "Required", "Notes"], rows);
}

function bodySchema(operation) {
  return operation.requestBody && operation.requestBody.content["application/json"].schema;
}

function parametersTable(parameters) {
  const rows = parameters.map((parameter) => [
    make("code", {}, parameter.name), parameter.in, typeCode(parameter.schema),
    parameter.required ? "yes" : "no", parameter.description || notes(parameter.schema),
  ]);
  return table(["Name", "In", "Type", "Required", "Notes"], rows);
}

function responsesTable(responses) {
  const rows = Object.entries(responses).map(([status, response]) => [
    make("code", {}, status), typeCode(response.content["application/json"].schema),
    response.description,
  ]);
  return table(["Status", "Body", "When"], rows);
}

function tryForm(id, method, path, operation) {
  const form = make("form", { "aria-label": `Try ${method.toUpperCase()} ${path}` }, make("h4", {}, "Try it"));
  const inputs = (operation.parameters || []).map((parameter) => {
    const name = `${id}-${parameter.in}-${parameter.name}`;
    const input = make("input", { id: name, autocomplete: "off" });
    input.required = parameter.required;
    form.append(make("label", { for: name }, `${parameter.name} (${parameter.in})`), input);
    return { parameter, input };
  });
  const schema = bodySchema(operation);
  const area = make("textarea", { id: `${id}-body`, spellcheck: "false" });
  if (schema) {
    area.value = JSON.stringify(example(schema), null, 2);
    area.rows = Math.min(24, area.value.split("\n").length + 1);
    form.append(make("label", { for: `${id}-body` }, "Body (JSON)"), area);
  }
  const button = make("button", { type: "submit" }, `Send ${method.toUpperCase()}`);
  const shown = make("div", { "aria-live": "polite" });
  form.append(button, shown);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    shown.replaceChildren(...(await send(method, path, inputs, schema ? area.value : undefined)));
    button.disabled = false;
  });
  return form;
}

async function send(method, path, inputs, body) {
  const query = new URLSearchParams();
  const headers = body === undefined ? {} : { "Content-Type": "application/json" };
  let address = path;
  for (const { parameter, input } of inputs) {
    if (parameter.in === "path") address = address.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
    else if (input.value === "") continue;
    else if (parameter.in === "header") headers[parameter.name] = input.value;
    else if (parameter.schema.type === "array") input.value.split(",").forEach((v) => query.append(parameter.name, v.trim()));
    else query.set(parameter.name, input.value);
  }
  if (query.size) address += `?${query}`;
  try {
    const response = await fetch(address, { method: method.toUpperCase(), headers, body });
    const run = response.headers.get("Parti-Run");
    const text = await response.text();
    const status = `${response.status} ${response.statusText}${run ? `, run ${run}` : ""}`;
    return [make("p", {}, make("strong", {}, status)), make("pre", { tabindex: "0" }, pretty(text))];
  } catch (error) {
    return [make("p", {}, `No answer: ${error.message}`)];
  }
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function drawOperation(method, path, operation) {
  const id = operation.operationId;
  const badge = make("span", { class: `method ${method}` }, method.toUpperCase());
  const heading = make("h3", { class: "path" }, path);
  const inside = make("div", { class: "inside" });
  if (operation.description) inside.append(make("p", {}, operation.description));
  if (operation.parameters.length) inside.append(make("h4", {}, "Parameters"), parametersTable(operation.parameters));
  const schema = bodySchema(operation);
  if (schema) inside.append(make("h4", {}, "Body: ", typeCode(schema)), fields(schema));
  inside.append(make("h4", {}, "Responses"), responsesTable(operation.responses), tryForm(id, method, path, operation));
  const summary = make("summary", {}, badge, heading, make("span", { class: "quiet" }, operation.summary));
  return make("details", { class: "operation", id }, summary, inside);
}

function drawSchemas(main, schemas) {
  main.append(make("h2", { id: "schemas" }, "Schemas"));
  for (const [name, schema] of Object.entries(schemas)) {
    const summary = make("summary", {}, make("h3", { class: "path" }, name),
      make("span", { class: "quiet" }, (schema.description || "").split("\n")[0]));
    const inside = make("div", { class: "inside" }, fields(schema));
    main.append(make("details", { class: "operation", id: `schema-${name}` }, summary, inside));
  }
}

function draw(main, contents) {
  document.title = `${description.info.title} API`;
  document.getElementById("title").textContent = description.info.title;
  document.getElementById("version").textContent = `Version ${description.info.version}`;
  const all = Object.entries(description.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ path, method, operation })));
  for (const { name } of description.tags) {
    const list = make("ul");
    main.append(make("h2", {}, name));
    contents.append(make("h2", {}, name), list);
    for (const { path, method, operation } of all.filter((one) => one.operation.tags[0] === name)) {
      main.append(drawOperation(method, path, operation));
      const badge = make("span", { class: `method ${method}` }, method.toUpperCase());
      list.append(make("li", {}, make("a", { href: `#${operation.operationId}` }, badge, ` ${path}`)));
    }
  }
  contents.append(make("h2", {}, make("a", { href: "#schemas" }, "Schemas")));
  drawSchemas(main, description.components.schemas);
}

function openTarget() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target instanceof HTMLDetailsElement) target.open = true;
  if (target) target.scrollIntoView();
}

async function start() {
  const status = document.getElementById("status");
  try {
    description = await (await fetch("/openapi.json")).json();
    draw(document.getElementById("operations"), document.getElementById("contents"));
    status.remove();
    openTarget();
  } catch (error) {
    status.textContent = `The description cannot be read: ${error.message}`;
  }
}

window.addEventListener("hashchange", openTarget);
start();
