import type { SourceRange } from '@tbuild/errors';
import type { ImageOp, RunOp, StepOp } from '@tbuild/graph';
import type { Note } from '@tbuild/store';
import type { Encode } from './without-secrets.ts';

/** How a build ended. */
export type BuildStatus = 'completed' | 'error' | 'canceled';

/** A step of the plan. */
export interface RecordedStep {
  readonly id: string;
  readonly name: string;
  readonly kind: StepOp['kind'];
  readonly target?: string;
  readonly base?: string;
  readonly sources: readonly string[];
  readonly location?: SourceRange;
  /** What RUN runs. The values of variables that may be made of secrets are hidden. */
  readonly run?: RunOp;
  /** What FROM reads. */
  readonly image?: ImageOp;
  /** Undefined for a step that was not solved. */
  readonly key?: string;
  readonly result?: string;
}

/** Why a build failed. */
export interface RecordedError {
  readonly code?: string;
  readonly message: string;
  readonly hint?: string;
  readonly location?: SourceRange;
}

/** A step whose process failed, and the tree that it left. */
export interface FailedStep {
  readonly step: string;
  /** The name of a result that no cache record names. */
  readonly tree: string;
}

/** The configuration that an image of the build has, and the step with its tree. */
export interface RecordedImage {
  readonly target: string;
  readonly step?: string;
  readonly env: readonly string[];
  readonly cwd: string;
  readonly user: string;
}

/** How many steps there were, and how they ended. */
export interface StepCounts {
  readonly total: number;
  readonly cached: number;
  readonly built: number;
}

/** The summary of a build, as plain data. Times are milliseconds since the epoch. */
export interface BuildRecord {
  readonly id: string;
  /** The name that people read: the context's directory, with the Dockerfile or target unless usual. */
  readonly name: string;
  readonly status: BuildStatus;
  readonly startedAt: number;
  readonly completedAt: number;
  readonly host: Readonly<Record<string, string>>;
  /** What was asked, by target; a build of one target has the name "". */
  readonly requests: Readonly<Record<string, unknown>>;
  /** How it was built: the isolation of steps, and how registries were reached. */
  readonly settings?: unknown;
  /** What was made, by target. Empty unless completed. */
  readonly results: Readonly<Record<string, unknown>>;
  /** The texts of the Dockerfiles by the names that locations refer to. */
  readonly definitions: Readonly<Record<string, string>>;
  /** In topological order. Empty if planning failed. */
  readonly steps: readonly RecordedStep[];
  readonly images: readonly RecordedImage[];
  readonly counts: StepCounts;
  readonly warnings: number;
  readonly error?: RecordedError;
  readonly failed?: FailedStep;
}

/** The number of the form of records. Those of another are not shown. */
const FORM = 1;

export function encodeRecord(record: BuildRecord, encode: Encode): string {
  return encode({ form: FORM, ...record });
}

/** Returns the record in a note, or undefined if it is of another form. */
export function parseRecord(note: Note): BuildRecord | undefined {
  const value: Partial<BuildRecord> & { readonly form?: unknown } = note;
  const isWhole = typeof value.id === 'string' && Array.isArray(value.steps) && typeof value.startedAt === 'number';
  return value.form === FORM && isWhole ? (value as BuildRecord) : undefined;
}
