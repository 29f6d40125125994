// Prompts: a question to whoever sits here, in a dialog: for a word, or for a yes before something that matters.

import { html, signal, useEffect, useRef } from "./html.js";

/**
 * What a dialog asks: `field` is the label of a text to give, `act` the word on its button.
 * @typedef {{ title: string, words: string, act: string, field?: string, value?: string, grave?: boolean }} Prompt
 */

/** @typedef {{ prompt: Prompt, answer: (text: string | null) => void }} Open */

const open = signal(/** @type {Open | null} */ (null));

/**
 * Ask; the text that was given ("" where there is no field), or null for a no.
 * @param {Prompt} prompt
 * @returns {Promise<string | null>}
 */
export function prompted(prompt) {
  open.value?.answer(null);
  return new Promise((answer) => (open.value = { prompt, answer }));
}

/** @param {string | null} text */
function close(text) {
  open.value?.answer(text);
  open.value = null;
}

/** Where prompts appear. */
export const Prompts = () => (open.value ? html`<${Dialog} key=${open.value.prompt.title} prompt=${open.value.prompt} />` : null);

/** @param {{ prompt: Prompt }} props */
function Dialog({ prompt }) {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    return () => before instanceof HTMLElement && before.focus();
  }, []);
  /** @param {SubmitEvent} event */
  function submit(event) {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.currentTarget);
    const text = String(new FormData(form).get("text") ?? "").trim();
    if (!prompt.field || text) close(text);
  }
  return html`
    <dialog class="sheet prompt" ref=${dialog} onClose=${() => close(null)} aria-labelledby="prompt-title">
      <form onSubmit=${submit}>
        <h2 id="prompt-title">${prompt.title}</h2>
        <p>${prompt.words}</p>
        ${prompt.field && html`<label for="prompt-text">${prompt.field}</label>
          <input id="prompt-text" name="text" value=${prompt.value ?? ""} maxlength="80" required autofocus autocomplete="name" />`}
        <p class="acts">
          <button type="button" class="secondary" onClick=${() => close(null)} autofocus=${!prompt.field}>Leave it</button>
          <button class=${prompt.grave ? "primary grave" : "primary"}>${prompt.act}</button>
        </p>
      </form>
    </dialog>
  `;
}
