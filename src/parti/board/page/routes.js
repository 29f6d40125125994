// Which view an address names: `#/runs/ID?state=dead` is the view "runs", with the rest "ID". One line a view.

/** @import { Address } from "./types.js" */
import { computed, signal } from "./html.js";
import { DeadLetters } from "./views/dead-letters.js";
import { All } from "./views/findings.js";
import { Part } from "./views/part.js";
import { Plan } from "./views/plan.js";
import { Questions } from "./views/questions.js";
import { Run } from "./views/run.js";
import { Runs } from "./views/runs.js";
import { Story } from "./views/story.js";
import { Topics } from "./views/topics.js";

/** @typedef {{ name: string, title: string, key: string, draw: (address: Address) => unknown, nav: boolean }} View */

/** Every view; those with `nav` stand in the navigation, and "g" and their key leads to them. */
export const VIEWS = /** @type {View[]} */ ([
  { name: "plan", title: "Plan", key: "p", draw: Plan, nav: true },
  { name: "runs", title: "Runs", key: "r", draw: ({ rest, query }) => (rest ? Run({ id: rest, query }) : Runs({ query })), nav: true },
  { name: "story", title: "Story", key: "", draw: ({ rest }) => Story({ id: rest }), nav: false },
  { name: "findings", title: "Findings", key: "", draw: () => All(), nav: false },
  { name: "topics", title: "Topics", key: "o", draw: Topics, nav: true },
  { name: "questions", title: "Questions", key: "q", draw: Questions, nav: true },
  { name: "dead-letters", title: "Dead letters", key: "", draw: DeadLetters, nav: false },
  { name: "parts", title: "Part", key: "", draw: ({ rest }) => Part({ name: rest }), nav: false },
]);

const hash = signal(location.hash);
addEventListener("hashchange", () => (hash.value = location.hash));

export const address = computed(() => read(hash.value));
export const view = computed(() => VIEWS.find((one) => one.name === address.value.name) ?? null);

/**
 * The address of a view, for a link; of the words of its query those that say nothing are left out.
 * @param {string} name
 * @param {string} [rest]
 * @param {Record<string, string | number>} [query]
 */
export function to(name, rest = "", query = {}) {
  const words = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== "").map(([word, value]) => [word, String(value)]));
  return `#/${name}${rest ? `/${encodeURIComponent(rest)}` : ""}${words.size ? `?${words}` : ""}`;
}

/** The address of an event. @param {{ topic: string, partition: number, offset: number }} event */
export const toEvent = ({ topic, partition, offset }) => to("topics", topic, { event: `${partition}:${offset}` });

/** Go there. @param {string} name @param {string} [rest] @param {Record<string, string | number>} [query] */
export function go(name, rest = "", query = {}) {
  location.hash = to(name, rest, query);
}

/** Change the query of this view; "back" then leads to where the view was come from. @param {Record<string, string | number>} query */
export function adjust(query) {
  const { name, rest } = address.peek();
  history.replaceState(null, "", to(name, rest, query));
  hash.value = location.hash;
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
