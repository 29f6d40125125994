// Which view an address names: `#/runs/ID?state=dead` is the view "runs", with the rest "ID". One line a view.

/** @import { Address } from "./types.js" */
import { computed, signal } from "./html.js";
import { Part } from "./views/part.js";
import { Plan } from "./views/plan.js";

/** @typedef {{ name: string, title: string, key: string, draw: (address: Address) => unknown, nav: boolean }} View */

/** Every view; those with `nav` stand in the navigation, and "g" and their key leads to them. */
export const VIEWS = /** @type {View[]} */ ([
  { name: "plan", title: "Plan", key: "p", draw: Plan, nav: true },
  { name: "parts", title: "Part", key: "", draw: ({ rest }) => Part({ name: rest }), nav: false },
]);

const hash = signal(location.hash);
addEventListener("hashchange", () => (hash.value = location.hash));

export const address = computed(() => read(hash.value));
export const view = computed(() => VIEWS.find((one) => one.name === address.value.name) ?? null);

/** The address of a view, for a link. @param {string} name @param {string} [rest] */
export const to = (name, rest = "") => `#/${name}${rest ? `/${encodeURIComponent(rest)}` : ""}`;

/** Go there. @param {string} name @param {string} [rest] */
export function go(name, rest = "") {
  location.hash = to(name, rest);
}

/** @param {string} text @returns {Address} */
function read(text) {
  const [path = "", query = ""] = text.replace(/^#\/?/, "").split("?", 2);
  const [name, ...rest] = path.split("/");
  return { name: name || "plan", rest: decoded(rest.join("/")), query: new URLSearchParams(query) };
}

/** @param {string} text */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
