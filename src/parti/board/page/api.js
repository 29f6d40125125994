// Asking the server: JSON in, JSON out, and every failure a Problem that says what to do.

/** @import { Refused } from "./types.js" */

/** A request that was refused, or that nobody answered. */
export class Problem extends Error {
  /** @param {number} status 0 where nobody answered @param {Refused} refused */
  constructor(status, refused) {
    super(refused.error);
    this.status = status;
    this.code = refused.code;
    this.fix = refused.try ?? "";
    /** Which fields do not fit. */
    this.misfits = refused.errors ?? [];
  }
}

/**
 * What a view of the server shows now.
 * @param {string} view
 * @param {Record<string, string | number>} [query]
 * @returns {Promise<any>}
 */
export function ask(view, query = {}) {
  const words = new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)]));
  return fetched(`api/${view}${words.size ? `?${words}` : ""}`, {});
}

/**
 * Change something. The header is one that no page of another origin can send.
 * @param {string} change
 * @param {Record<string, unknown> | string} body as JSON where it is a text
 * @returns {Promise<any>}
 */
export function change(change, body) {
  const headers = { "content-type": "application/json", "parti-board": "1" };
  return fetched(`api/${change}`, { method: "POST", headers, body: typeof body === "string" ? body : JSON.stringify(body) });
}

/** @param {string} path @param {RequestInit} options */
async function fetched(path, options) {
  const response = await fetch(path, options).catch(() => {
    throw new Problem(0, { code: "", error: "The server does not answer", try: "see whether `parti up` runs" });
  });
  const value = await response.json().catch(() => ({ code: "", error: `The server answered ${response.status}` }));
  if (!response.ok) throw new Problem(response.status, value);
  return value;
}
