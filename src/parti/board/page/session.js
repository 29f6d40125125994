// Who is here: whether the server wants the token, and signing in and out.

/** @import { Session } from "./types.js" */
import { ask, change } from "./api.js";
import { signal } from "./html.js";

export const session = signal(/** @type {Session} */ ({ signed_in: false, asks: false, system: "" }));

/** Learn how it stands; true when the board may be seen. */
export async function learn() {
  session.value = await ask("session");
  return session.value.signed_in;
}

/** @param {string} token */
export async function signIn(token) {
  await change("sign-in", { token });
  await learn();
}

export async function signOut() {
  await change("sign-out", {});
  location.reload();
}
