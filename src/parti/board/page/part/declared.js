// What a part was declared to be: its options, labels, schemas, versions, and the text of its function.

/** @import { PartShown } from "../types.js" */
import { Plain } from "../elements/value.js";
import { When } from "../elements/when.js";
import { short } from "../format.js";
import { html } from "../html.js";

/** @param {{ part: PartShown }} props */
export function Options({ part }) {
  const options = Object.fromEntries(Object.entries(part.options).filter(([, value]) => value !== null && value !== "" && !(Array.isArray(value) && !value.length)));
  return Object.keys(options).length ? html`<section class="panel" aria-labelledby="options"><h2 id="options">Options</h2><${Plain} value=${options} label="Options" /></section>` : null;
}

/** @param {{ part: PartShown }} props */
export const Labels = ({ part }) =>
  part.labels.length
    ? html`<section class="panel" aria-labelledby="labels"><h2 id="labels">Labels</h2>
        <ul class="joined">${part.labels.map(({ path, label }) => html`<li key=${`${path} ${label}`}><span class="code">${path || "all of it"}</span><span class="tag">${label.toUpperCase()}</span></li>`)}</ul></section>`
    : null;

/** @param {{ title: string, schema: Record<string, unknown> | null }} props */
export const Schema = ({ title, schema }) =>
  schema && Object.keys(schema).length
    ? html`<section class="panel" aria-label=${title}><h2>${title}</h2><${Plain} value=${schema} label=${title} /></section>`
    : null;

/** Versions of a model, the latest first. @param {{ part: PartShown }} props */
export const Versions = ({ part }) =>
  part.versions.length
    ? html`
        <section class="panel flush" aria-labelledby="versions"><h2 id="versions">Versions</h2>
          <div class="wide"><table class="rows"><thead><tr><th scope="col">Version</th><th scope="col">Trained</th><th scope="col">Metrics</th><th scope="col">About</th></tr></thead>
            <tbody>${part.versions.map((one) => html`
              <tr key=${one.version}><td>v${one.version}</td><td><${When} at=${one.created} /></td><td>${pairs(one.metrics)}</td><td><${Plain} value=${one.about} label="About" /></td></tr>
            `)}</tbody></table></div>
        </section>`
    : null;

/** @param {Record<string, unknown>} metrics */
const pairs = (metrics) => html`
  <dl class="pairs">${Object.entries(metrics).map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${typeof value === "number" ? figure(value) : JSON.stringify(value)}</dd></div>`)}</dl>
`;

/** @param {number} value */
const figure = (value) => (Math.abs(value) < 10 ? String(Math.round(value * 1000) / 1000) : short(value));

/** The text of the part's function. @param {{ part: PartShown }} props */
export const Source = ({ part }) =>
  part.source === null
    ? null
    : html`<section class="panel flush" aria-labelledby="source"><h2 id="source">${part.kind === "agent" ? "Instructions" : "Source"} <span class="quiet code">${part.file}:${part.line}</span></h2>
        <pre class="source" tabindex="0">${part.source}</pre></section>`;
