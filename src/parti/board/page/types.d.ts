// The shapes of what the server sends; `board/queries` has their words and units.

export type Theme = "auto" | "light" | "dark";

export interface Session {
  signed_in: boolean;
  asks: boolean;
  system: string;
}

export interface PlanPart {
  name: string;
  kind: string;
  about: string;
  place: string;
}

export interface Plan {
  system: string;
  digest: string;
  drawing: string;
  parts: PlanPart[];
}

/** What parts and arrows have in common, over the window of a picture. */
export interface Figures {
  /** null where nothing is journaled: a plain endpoint. */
  rate_per_second: number | null;
  sampled: number;
  p50_seconds: number | null;
  p99_seconds: number | null;
  queue: number | null;
  failed: number;
  error_share: number | null;
  failed_just_now: boolean;
  usd_per_second: number;
  tokens_per_second: number;
}

export interface PartFigures extends Figures {
  name: string;
  kind: string;
  over_slo: boolean | null;
  queue_exact: boolean;
  in_flight: number | null;
  waiting: number | null;
  backoff: number | null;
  last_error: string | null;
}

export interface ArrowFigures extends Figures {
  source: string;
  kind: string;
  target: string;
  may: boolean;
}

export interface Picture {
  at: number;
  window_seconds: number;
  slo_p99_seconds: number | null;
  availability_goal: number | null;
  sampled_runs: number;
  complete: boolean;
  parts: PartFigures[];
  arrows: ArrowFigures[];
  open_questions: number;
}

/** A refusal, as every coded error of Parti is sent. */
export interface Refused {
  code: string;
  error: string;
  try?: string;
}

export type Connection = "connecting" | "live" | "lost" | "resting";

/** What a view is given: the rest of its address, decoded, and what follows its "?". */
export interface Address {
  name: string;
  rest: string;
  query: URLSearchParams;
}

/** A field that is masked: its JSON pointer in the value, its labels, and the place to name in asking to see it. */
export interface Masked {
  path: string;
  labels: string[];
  place: string;
}

/** A JSON value as it may be shown; with `cut`, the beginning of its text. */
export interface Shown {
  value: unknown;
  masked: Masked[];
  cut: number;
}
