// The live stream: the latest picture, a bounded past of each rate, and how the connection stands.

/** @import { Connection, Picture } from "./types.js" */
import { batch, computed, effect, signal } from "./html.js";
import { learn, session } from "./session.js";

/** Pictures whose rates are remembered: a minute. */
const KEPT = 150;
/** How long the server may say nothing before the page calls the connection lost, in milliseconds. */
const SILENCE = 5000;
const PAUSE_LEAST = 500;
const PAUSE_MOST = 8000;

export const latest = signal(/** @type {Picture | null} */ (null));
/** A picture of an earlier moment, shown in place of the latest; null while the page shows what is now. */
export const earlier = signal(/** @type {Picture | null} */ (null));
/** The picture that the page shows. */
export const picture = computed(() => earlier.value ?? latest.value);
export const connection = signal(/** @type {Connection} */ ("connecting"));
/** The process that answers: another one may run another design. */
export const epoch = signal("");
/** Why there is no picture, in the server's words; "" while there is one. */
export const trouble = signal("");

/** @type {Map<string, number[]>} The rates of each part, the latest last. */
const rates = new Map();

/** @param {string} part @returns {readonly number[]} events or calls a second, one a picture */
export const pastRates = (part) => rates.get(part) ?? [];

/** The figures of a part in the picture that is shown. @param {string} name */
export const figuresOf = (name) => picture.value?.parts.find((part) => part.name === name);

/** @type {EventSource | null} */
let source = null;
let lastId = "";
let pause = PAUSE_LEAST;
let timer = 0;

const signedIn = computed(() => session.value.signed_in);

/** Follow the stream while somebody is signed in and the page can be seen. */
export function follow() {
  document.addEventListener("visibilitychange", () => (document.hidden ? rest() : open()));
  effect(() => (signedIn.value ? open() : rest()));
}

function open() {
  clearTimeout(timer);
  source?.close();
  if (!signedIn.value || document.hidden) return;
  // The header Last-Event-ID is the browser's own, and only for reconnections that it makes itself.
  source = new EventSource(`api/live${lastId ? `?last=${encodeURIComponent(lastId)}` : ""}`);
  source.addEventListener("picture", (event) => heard(event, () => show(JSON.parse(event.data))));
  source.addEventListener("trouble", (event) => heard(event, () => (trouble.value = JSON.parse(event.data).error)));
  source.onerror = lost;
  listen();
}

function rest() {
  clearTimeout(timer);
  source?.close();
  connection.value = "resting";
}

/** @param {MessageEvent} event @param {() => void} told */
function heard(event, told) {
  lastId = event.lastEventId;
  pause = PAUSE_LEAST;
  listen();
  batch(() => {
    connection.value = "live";
    epoch.value = lastId.split("-", 1)[0] ?? "";
    trouble.value = "";
    told();
  });
}

/** @param {Picture} now */
export function show(now) {
  for (const part of now.parts) {
    const past = rates.get(part.name) ?? [];
    past.push(part.rate_per_second ?? 0);
    if (past.length > KEPT) past.shift();
    rates.set(part.name, past);
  }
  latest.value = now;
}

function listen() {
  clearTimeout(timer);
  timer = setTimeout(lost, SILENCE);
}

/** The browser gives up for good on some failures: so the page itself tries again, ever more seldom. */
function lost() {
  clearTimeout(timer);
  source?.close();
  connection.value = "lost";
  timer = setTimeout(again, pause);
  pause = Math.min(pause * 2, PAUSE_MOST);
}

/** The stream may have ended because the session did: then the shell asks for the token. */
async function again() {
  if (await learn().catch(() => true)) open();
}
