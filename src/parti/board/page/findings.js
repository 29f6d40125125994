// What `parti check` finds in the design that runs, read once for each process that answers.

/** @import { Problem } from "./api.js" */
/** @import { Finding } from "./types.js" */
import { ask } from "./api.js";
import { effect, signal } from "./html.js";
import { epoch } from "./live.js";

/** Those that count come first, then those that somebody accepted; null before they are known. */
export const findings = signal(/** @type {Finding[] | null} */ (null));
/** Why there are none. */
export const unjudged = signal(/** @type {Problem | null} */ (null));

/** The findings of a part that count. @param {string} part */
export const counted = (part) => findings.value?.filter((one) => one.on === part && !one.accepted) ?? [];

let read = "";

/** Read them, unless that was done. */
export function judge() {
  return effect(() => {
    const now = epoch.value;
    if (!now || now === read) return;
    read = now;
    ask("findings").then((found) => (findings.value = found), (problem) => (unjudged.value = problem));
  });
}
