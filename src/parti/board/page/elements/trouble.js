// What a view shows in place of what it has not: that it is being read, or why it is not.

/** @import { Problem } from "../api.js" */
import { html } from "../html.js";

/** @param {{ wrong: Problem | null, again: () => void }} props */
export const Trouble = ({ wrong, again }) =>
  wrong
    ? html`<div class="notice" role="alert"><p class="wrong"><strong>${wrong.code}</strong> ${wrong.message}</p>
        ${wrong.fix && html`<p>Try: ${wrong.fix}</p>`}<p><button class="secondary" onClick=${again}>Ask again</button></p></div>`
    : html`<p class="notice" role="status">Reading</p>`;
