// Asking the server for what a view shows, again when what is asked changes, one request at a time.

/** @import { Problem } from "./api.js" */
import { ask } from "./api.js";
import { useEffect, useRef, useSignal } from "./html.js";

/** What was answered, why not, and whether an answer is awaited. @template T @typedef {{ value: T | null, wrong: Problem | null, busy: boolean }} Told */
/** What was answered, and how to ask again. @template T @typedef {Told<T> & { again: () => void }} Answer */

/**
 * What a view of the server answers. `again` asks once more, unless an answer is awaited; the old one stays meanwhile.
 * @template T
 * @param {string} view
 * @param {Record<string, string | number>} query
 * @returns {Answer<T>}
 */
export function useAnswer(view, query) {
  const answer = useSignal(/** @type {Told<T>} */ ({ value: null, wrong: null, busy: true }));
  const latest = useRef(0);
  const words = JSON.stringify([view, query]);
  async function put() {
    const number = ++latest.current;
    answer.value = { ...answer.peek(), busy: true };
    const [value, wrong] = await ask(view, query).then((told) => [told, null], (problem) => [answer.peek().value, problem]);
    if (number === latest.current) answer.value = { value, wrong, busy: false };
  }
  useEffect(() => {
    put();
    return () => void latest.current++;
  }, [words]);
  return { ...answer.value, again: () => void (answer.peek().busy || put()) };
}
