// Toasts: short notices that go by themselves, at most three at a time.

import { html, signal } from "./html.js";
import { Problem } from "./api.js";

const MOST = 3;
const STAY = 8000;

/** @typedef {{ id: number, what: string, fix: string, code: string }} Toast */

export const toasts = signal(/** @type {Toast[]} */ ([]));
let count = 0;

/** Tell what failed. @param {unknown} wrong */
export function tell(wrong) {
  const problem = wrong instanceof Problem ? wrong : null;
  const toast = { id: ++count, what: String(wrong instanceof Error ? wrong.message : wrong), fix: problem?.fix ?? "", code: problem?.code ?? "" };
  toasts.value = [...toasts.value.filter((other) => other.what !== toast.what), toast].slice(-MOST);
  setTimeout(() => dismiss(toast.id), STAY);
}

/** @param {number} id */
function dismiss(id) {
  toasts.value = toasts.value.filter((toast) => toast.id !== id);
}

export const Toasts = () => html`
  <div class="toasts" role="status" aria-live="polite">
    ${toasts.value.map(
      (toast) => html`
        <div class="toast" key=${toast.id}>
          <p><strong>${toast.code}</strong> ${toast.what}</p>
          ${toast.fix && html`<p class="quiet">Try: ${toast.fix}</p>`}
          <button class="plain" aria-label="Dismiss" onClick=${() => dismiss(toast.id)}>×</button>
        </div>
      `,
    )}
  </div>
`;
