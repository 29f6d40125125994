// Where a run, a call or a question stands, as a word with a colour.

import { html } from "../html.js";

/** @type {Record<string, string>} */
const TONES = {
  done: "good", answered: "good", allow: "good", mask: "good",
  dead: "bad", failed: "bad", refuse: "bad", "timed out": "bad", "not done": "bad", "in doubt": "bad", "too often": "bad",
  backoff: "warn", interrupted: "warn", expired: "warn", ask: "warn", parked: "warn",
  running: "busy", open: "busy", waiting: "busy",
};

/** @param {{ state: string }} props */
export const State = ({ state }) => html`<span class=${`state ${TONES[state] ?? ""}`}>${state}</span>`;
