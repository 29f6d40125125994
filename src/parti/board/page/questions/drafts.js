// Drafts: what somebody began to answer, kept by the tab until it is sent, also over a reload.

import { signal } from "../html.js";

const KEY = "parti-draft:";
/** Characters of a draft that are kept over a reload. */
const LONGEST = 100_000;
/** Drafts that are kept. */
const MOST = 50;

/** What was written so far, by the id of its question. */
export const drafts = signal(/** @type {ReadonlyMap<string, unknown>} */ (new Map(kept())));

/** @param {string} question @param {unknown} value */
export function draft(question, value) {
  const others = [...drafts.value].filter(([id]) => id !== question).slice(1 - MOST);
  drafts.value = new Map([...others, [question, value]]);
  const text = JSON.stringify(value) ?? "";
  try {
    if (text && text.length <= LONGEST) sessionStorage.setItem(KEY + question, text);
    else sessionStorage.removeItem(KEY + question);
  } catch {
    return; // the browser keeps nothing: the draft lasts as long as the page
  }
}

/** @param {string} question */
export function discard(question) {
  drafts.value = new Map([...drafts.value].filter(([id]) => id !== question));
  sessionStorage.removeItem(KEY + question);
}

/** @returns {[string, unknown][]} */
function kept() {
  const names = Object.keys(sessionStorage).filter((name) => name.startsWith(KEY)).slice(0, MOST);
  return names.flatMap((name) => {
    try {
      return [/** @type {[string, unknown]} */ ([name.slice(KEY.length), JSON.parse(sessionStorage.getItem(name) ?? "")])];
    } catch {
      return [];
    }
  });
}
