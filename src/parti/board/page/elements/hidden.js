// A masked field: its labels, and a button that asks for what it holds; the server journals who asked before it tells.

/** @import { Masked } from "../types.js" */
import { change } from "../api.js";
import { html, useSignal } from "../html.js";
import { named } from "../person.js";
import { tell } from "../toasts.js";

const WHY = "The journal keeps who asked to see a masked field, which one, and when.";

/** @param {{ masked: Masked }} props */
export function Hidden({ masked }) {
  const held = useSignal(/** @type {{ value: unknown } | null} */ (null));
  const asking = useSignal(false);
  const labels = masked.labels.join(", ").toUpperCase();
  async function show() {
    const by = await named(WHY);
    if (!by) return;
    asking.value = true;
    await change("reveal", { place: masked.place, by }).then((told) => (held.value = told), tell);
    asking.value = false;
  }
  if (held.value) {
    return html`<span class="hidden told"><span class="string">${written(held.value.value)}</span>
      <span class="tag">${labels}</span> <button class="link" onClick=${() => (held.value = null)}>Hide</button></span>`;
  }
  return html`<span class="hidden"><span aria-label="masked">•••</span> <span class="tag">${labels}</span>
    <button class="link" onClick=${show} disabled=${asking.value} title=${WHY} aria-label=${`Show ${masked.path || "the value"}`}>Show</button></span>`;
}

/** @param {unknown} value */
const written = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 2));
