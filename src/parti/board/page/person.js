// The person who sits here: the name that goes into the journal with what they ask for and answer; kept by the browser.

import { html, signal } from "./html.js";
import { prompted } from "./prompts.js";

const KEY = "parti-person";

export const person = signal(localStorage.getItem(KEY) ?? "");

/** The name, asked for where it is not known yet; "" where none is given. @param {string} why what it is needed for */
export async function named(why) {
  if (!person.value) await rename(why);
  return person.value;
}

/** Ask for the name, known or not. @param {string} why what it is needed for */
export async function rename(why) {
  const name = await prompted({ title: "Who are you?", words: why, act: "That is me", field: "Your name", value: person.value });
  if (name === null) return;
  person.value = name;
  localStorage.setItem(KEY, name);
}

/** Who sits here, for the bar: nothing before a name was given. */
export const Person = () =>
  person.value
    ? html`<button class="plain person" title="Change your name" aria-label=${`You are ${person.value}: change your name`}
        onClick=${() => rename("The journal names who asks for what is masked, and who answers.")}>${person.value}</button>`
    : null;
