import type { SourceRange } from '@tbuild/errors';

/** Identifies a line of the display: a step's id, or any text that is unique within the build (`export`). */
export type ProgressStepId = string;

/** How a step ended. */
export type Outcome = 'built' | 'cached' | 'failed' | 'cancelled';

/** A step that may run. Users read its `name`, e.g. `[build 2/4] RUN make`. */
export interface PlannedStep {
  readonly id: ProgressStepId;
  readonly name: string;
  /** The target that it is for, in a build of several. */
  readonly target?: string;
  /** The steps that it builds on: the base first, then those that it reads from. */
  readonly inputs?: readonly ProgressStepId[];
  /** Its instruction. */
  readonly location?: SourceRange;
}

/**
 * One thing that happened. Times are milliseconds since the epoch. Events of a step come in the order planned,
 * waiting?, (started, (log | transfer)*, finished)*; steps interleave. A step starts again when more of it is needed:
 * FROM finishes once its configuration is known, and starts again to fetch its layers.
 */
export type ProgressEvent =
  | { readonly type: 'planned'; readonly steps: readonly PlannedStep[] }
  /** The step must run and waits for files that other steps fetch or extract. Its own time begins with `started`. */
  | { readonly type: 'waiting'; readonly step: ProgressStepId; readonly at: number }
  | { readonly type: 'started'; readonly step: ProgressStepId; readonly at: number }
  | {
      readonly type: 'finished';
      readonly step: ProgressStepId;
      readonly at: number;
      readonly outcome: Outcome;
      /** For `failed`: the message. */
      readonly error?: string;
      /** For `built`: why the step was not cached, in one line. */
      readonly reason?: string;
      /** All that changed, where the reason names only some of it. */
      readonly changes?: readonly string[];
    }
  | {
      readonly type: 'log';
      readonly step: ProgressStepId;
      readonly stream: 'stdout' | 'stderr';
      readonly data: Uint8Array;
    }
  | {
      readonly type: 'transfer';
      readonly step: ProgressStepId;
      /** The item that is transferred, e.g. `sha256:…` or `transferring context`. */
      readonly item: string;
      /** Bytes so far, and the total when it is known; a transfer is finished when they are equal. */
      readonly current: number;
      readonly total?: number;
      readonly done?: boolean;
    }
  | {
      readonly type: 'warning';
      readonly message: string;
      readonly step?: ProgressStepId;
      readonly location?: SourceRange;
      /** The part of the line that the warning is about. */
      readonly token?: SourceRange;
      readonly url?: string;
      readonly detail?: string;
    };
