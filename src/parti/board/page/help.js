// The help sheet: every shortcut that works now.

import { html, useEffect, useRef } from "./html.js";
import { shortcuts } from "./keys.js";

/** @type {Record<string, string>} */
const NAMES = { ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", Escape: "Esc" };

/** @param {{ close: () => void }} props */
export function Help({ close }) {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useEffect(() => dialog.current?.showModal(), []);
  const groups = [...new Set(shortcuts.value.map((one) => one.group))];
  return html`
    <dialog class="sheet" ref=${dialog} onClose=${close} aria-labelledby="help-title">
      <header>
        <h2 id="help-title">Keyboard</h2>
        <form method="dialog"><button class="plain" aria-label="Close">×</button></form>
      </header>
      ${groups.map(
        (group) => html`
          <h3>${group}</h3>
          <dl class="keys">
            ${shortcuts.value
              .filter((one) => one.group === group)
              .map(
                (one) => html`
                  <dt>${one.keys.map((keys) => keys.split(" ").map((key) => html`<kbd>${NAMES[key] ?? key}</kbd>`))}</dt>
                  <dd>${one.words}</dd>
                `,
              )}
          </dl>
        `,
      )}
    </dialog>
  `;
}
