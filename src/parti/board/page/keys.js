// Keyboard shortcuts: each view adds its own while it is shown, and the help sheet lists them all.

import { signal, useEffect } from "./html.js";

/** @typedef {{ keys: string[], words: string, act: (event: KeyboardEvent) => void, group: string }} Shortcut */

/** The shortcuts that work now; keys are those of `KeyboardEvent.key`, or two in a row: "g p". */
export const shortcuts = signal(/** @type {Shortcut[]} */ ([]));

const SECOND = 1200;
let first = "";
let firstAt = 0;

/**
 * Have these shortcuts while the component is shown.
 * @param {Shortcut[]} added
 */
export function useShortcuts(added) {
  useEffect(() => {
    shortcuts.value = [...shortcuts.peek(), ...added];
    return () => (shortcuts.value = shortcuts.peek().filter((one) => !added.includes(one)));
  }, []);
}

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || writes(event)) return;
  const both = event.timeStamp - firstAt < SECOND ? `${first} ${event.key}` : event.key;
  const found = [both, event.key].map(of).find((one) => one);
  first = found ? "" : event.key;
  firstAt = event.timeStamp;
  if (!found) return;
  event.preventDefault();
  found.act(event);
});

/** @param {string} keys */
const of = (keys) => shortcuts.value.findLast((one) => one.keys.includes(keys));

/** Whether the key goes into a field, or into an open dialog. @param {KeyboardEvent} event */
function writes(event) {
  const at = event.target instanceof Element ? event.target : null;
  return Boolean(at?.closest("input, textarea, select, dialog, [contenteditable]"));
}
