// The shapes of topics, their events, and dead letters.

import type { Schema } from "../forms/types.js";
import type { EventShown, RunLine } from "../questions/types.js";
import type { Shown } from "../types.js";

export type { EventShown, RunLine };

export interface Topic {
  topic: string;
  about: string;
  key: string;
  events: number;
  oldest: number | null;
  newest: number | null;
  partitions: { partition: number; first: number; end: number; lag: Record<string, number> }[];
  lag: Record<string, number>;
  dead: number;
  dead_topic: string | null;
  schema: Schema;
}

export interface Events {
  topic: string;
  partition: number | null;
  first: number;
  end: number;
  events: EventShown[];
}

export interface Letter {
  run: RunLine;
  error: { code: string; message: Shown; place: string; fix: string } | null;
  attempts: number;
  event: EventShown | null;
  retry: string;
  can_retry: boolean;
}

export interface Letters {
  letters: Letter[];
  next: string | null;
  exhausted: boolean;
}

export interface Retried {
  retried: number;
  refused: number;
  why: { run: string; code: string; error: string }[];
  next: string | null;
}
