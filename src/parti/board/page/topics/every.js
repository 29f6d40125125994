// Reading again with every picture of the live stream: once a second at most, and never two at a time.

import { signal, useEffect, useRef, useSignal } from "../html.js";
import { latest } from "../live.js";

/**
 * What `read` gives, read at once and then again with each picture while `goes`; `wrong` says why there is nothing newer.
 * @template T
 * @param {() => Promise<T>} read
 * @param {unknown[]} about what it depends on
 * @param {boolean} [goes]
 */
export function useEvery(read, about, goes = true) {
  const value = useSignal(/** @type {T | null} */ (null));
  const wrong = useSignal("");
  const heldOf = useRef("");
  useEffect(() => {
    const now = JSON.stringify(about);
    let over = false;
    let busy = false;
    const again = async () => {
      if (busy || document.hidden) return;
      busy = true;
      try {
        const told = await read();
        if (!over) value.value = told;
        if (!over) wrong.value = "";
      } catch (problem) {
        if (!over) wrong.value = problem instanceof Error ? problem.message : String(problem);
      }
      busy = false;
    };
    if (goes || heldOf.current !== now) void again(); // what is held stays as it is
    heldOf.current = now;
    const stop = goes ? latest.subscribe(() => void again()) : () => {};
    return () => {
      over = true;
      stop();
    };
  }, [...about, goes]);
  return { value: value.value, wrong: wrong.value };
}

/** Whether the tail stands still; it goes on with another topic. */
export const stopped = signal(false);
