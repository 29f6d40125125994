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
  /** Each field that does not fit. */
  errors?: { field: (string | number)[]; error: string }[];
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

/** A run in a list; moments are seconds since 1970. */
export interface RunLine {
  id: string;
  part: string;
  tenant: string;
  key: string;
  key_masked: boolean;
  state: string;
  attempt: number;
  created: number;
  started: number | null;
  ended: number | null;
  wall_seconds: number;
  busy_seconds: number;
  topic: string;
  partition: number;
  offset: number;
  error: string | null;
}

export interface RunsPage {
  runs: RunLine[];
  next: string | null;
  looked_at: number;
  looked_until: number | null;
  exhausted: boolean;
}

export interface EventLine {
  topic: string;
  partition: number;
  offset: number;
  tenant: string;
  key: string;
  key_masked: boolean;
  at: number;
  cause: string;
}

export interface EventShown extends EventLine {
  payload: Shown;
  schema_digest: string;
  old_schema: boolean;
  runs: RunLine[];
}

export interface ErrorShown {
  code: string;
  message: Shown;
  place: string;
  fix: string;
}

/** What a stretch of a run's wall time went to. */
export type Share = "in_line" | "parts" | "own" | "waiting" | "backoff" | "dead" | "unexplained";

export interface Segment {
  at: number;
  until: number;
  what: Share;
  bar: number | null;
}

export interface Bar {
  index: number;
  parent: number | null;
  depth: number;
  kind: string;
  part: string;
  branch: string;
  at: number;
  until: number;
  in_line_seconds: number;
  working_seconds: number;
  waiting_seconds: number;
  state: string;
  attempt: number;
  attempts: number;
  batch: number;
  input: Shown | null;
  output: Shown | null;
  error: ErrorShown | null;
  usd: number;
  tokens: number;
  version: string;
  question: string | null;
}

export interface RunQuestion {
  id: string;
  who: string;
  text: Shown;
  state: string;
  asked: number;
  deadline: number | null;
  answer: Shown | null;
  by: string;
  answered: number | null;
}

export interface RunShown {
  line: RunLine;
  arguments: Shown | null;
  result: Shown | null;
  error: ErrorShown | null;
  origin: EventShown | null;
  begin: number;
  end: number;
  open: boolean;
  wall_seconds: number;
  shares: Record<`${Share}_seconds`, number>;
  segments: Segment[];
  bars: Bar[];
  attempts: { number: number; at: number; until: number; code: string; message: Shown }[];
  usd: number;
  tokens: number;
  questions: RunQuestion[];
  taints: { part: string; labels: string[]; at: number }[];
  gates: { part: string; then: string; why: Shown; at: number; masked: { field: string; label: string; times: number }[] }[];
  arrows_met: string[];
  entries: number;
  cut: number;
}

export interface StoryShown {
  root: string;
  asked: string;
  nodes: { run: RunLine; parent: string | null; event: EventLine | null; depth: number }[];
  events: { event: EventLine; runs: string[] }[];
  cut: boolean;
}

/** What `parti check` finds; `path` is the way along which it goes wrong. */
export interface Finding {
  code: string;
  rule: string;
  severity: "critical" | "high" | "medium";
  on: string;
  place: string;
  what: string;
  path: { place: string; what: string }[];
  why: string;
  standard: string;
  try: string;
  accepted: { reason: string; until: string } | null;
}

export interface PartShown {
  name: string;
  kind: string;
  about: string;
  file: string;
  line: number;
  source: string | null;
  options: Record<string, unknown>;
  labels: { path: string; label: string }[];
  schema: Record<string, unknown> | null;
  answer_schema: Record<string, unknown> | null;
  arrows: { source: string; kind: string; target: string; may: boolean }[];
  versions: { version: number; created: number; metrics: Record<string, unknown>; about: Record<string, unknown>; code: string }[];
  recent: RunLine[];
  looked_at: number;
  histogram: Bucket[];
  p50_seconds: number | null;
  p99_seconds: number | null;
  errors: Cause[];
}

export interface Bucket {
  from_seconds: number;
  until_seconds: number;
  count: number;
}

/** Errors that are the same but for numbers, names and ids. */
export interface Cause {
  code: string;
  message: string;
  count: number;
  first_at: number;
  last_at: number;
  run: string;
}
