// The shapes of questions, of the events they are about, and of runs in a list.

import type { Schema } from "../forms/types.js";
import type { EventLine, Shown } from "../types.js";

export interface RunLine {
  id: string;
  part: string;
  key: string;
  key_masked: boolean;
  state: string;
  attempt: number;
  created: number;
  ended: number | null;
  error: string | null;
}

export interface EventShown extends EventLine {
  payload: Shown;
  old_schema: boolean;
  runs: RunLine[];
}

export interface Question {
  id: string;
  run: RunLine | null;
  who: string;
  text: Shown;
  schema: Schema;
  asked: number;
  deadline: number | null;
  state: "open" | "answered" | "expired" | "withdrawn";
  answer: Shown | null;
  by: string;
  answered: number | null;
  left_seconds: number | null;
  event: EventShown | null;
  arguments: Shown | null;
  so_far: { part: string; kind: string; at: number; answer: Shown }[];
  provenance: { label: string; part: string }[];
}
