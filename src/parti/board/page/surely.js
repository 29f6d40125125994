// A change that outlives a restart of the server: it is sent again until somebody answers, and done once.

import { Problem, change } from "./api.js";

/** How long to wait before asking again, in milliseconds: twice as long each time. */
const PAUSE_LEAST = 400;
const PAUSE_MOST = 4000;
/** How often it is tried: about ten minutes. */
const TRIES = 150;

/** Answers that say that nobody is there yet. */
const AWAY = new Set([0, 502, 503, 504]);

/**
 * Change something that may be asked for twice: the server must tell one that it knows already.
 * @param {string} name
 * @param {Record<string, unknown> | string} body
 * @param {(waits: boolean) => void} wait told when the server does not answer, and when it does again
 * @param {AbortSignal} [signal] gives up
 * @returns {Promise<any>}
 */
export async function surely(name, body, wait, signal) {
  let pause = PAUSE_LEAST;
  for (let tries = 1; ; tries++) {
    try {
      const done = await change(name, body);
      wait(false);
      return done;
    } catch (problem) {
      const away = problem instanceof Problem && AWAY.has(problem.status);
      wait(away && tries < TRIES && !signal?.aborted);
      if (!away || tries >= TRIES || signal?.aborted) throw problem;
    }
    await new Promise((done) => setTimeout(done, pause));
    pause = Math.min(pause * 2, PAUSE_MOST);
  }
}
