// Light, dark, or as the system has it; kept by the browser.

/** @import { Theme } from "./types.js" */
import { effect, signal } from "./html.js";

const KEY = "parti-theme";
const ORDER = /** @type {const} */ (["auto", "light", "dark"]);
const system = matchMedia("(prefers-color-scheme: dark)");
const systemDark = signal(system.matches);

export const theme = signal(/** @type {Theme} */ (ORDER.find((one) => one === localStorage.getItem(KEY)) ?? "auto"));

/** The next of auto, light and dark. */
export function turnTheme() {
  theme.value = ORDER[(ORDER.indexOf(theme.value) + 1) % ORDER.length] ?? "auto";
  localStorage.setItem(KEY, theme.value);
}

system.addEventListener("change", () => (systemDark.value = system.matches));
effect(() => {
  const dark = theme.value === "dark" || (theme.value === "auto" && systemDark.value);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
});
