// Stepping with the keyboard through things that can be focused, in the order of the page.

/**
 * Moves the focus along what a selector finds, from where it is, so many on.
 * @param {string} selector
 * @returns {(by: number) => void}
 */
export const stepper = (selector) => (by) => {
  const all = /** @type {HTMLElement[]} */ ([...document.querySelectorAll(selector)]);
  const at = all.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  const next = all[at < 0 ? 0 : Math.min(Math.max(at + by, 0), all.length - 1)];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
};
