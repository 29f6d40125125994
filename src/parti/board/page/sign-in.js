// The sign-in form, where the board is served to other machines.

import { html, useSignal } from "./html.js";
import { signIn } from "./session.js";
import { Problem } from "./api.js";

export function SignIn() {
  const wrong = useSignal("");
  /** @param {SubmitEvent} event */
  async function submit(event) {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.currentTarget);
    try {
      await signIn(String(new FormData(form).get("token") ?? ""));
    } catch (problem) {
      wrong.value = problem instanceof Problem ? `${problem.message}: ${problem.fix}` : String(problem);
    }
  }
  return html`
    <main class="door">
      <form onSubmit=${submit} class="sheet">
        <img src="icon.svg" alt="" width="40" height="40" />
        <h1>Sign in to the board</h1>
        <label for="token">The operator's token</label>
        <input id="token" name="token" type="password" autocomplete="current-password" required autofocus
          aria-describedby="wrong" aria-invalid=${wrong.value ? "true" : "false"} />
        <p id="wrong" class="wrong" role="alert">${wrong.value}</p>
        <button class="primary">Sign in</button>
      </form>
    </main>
  `;
}
