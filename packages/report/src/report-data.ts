import type { SourceRange } from '@tbuild/errors';
import type { Outcome } from '@tbuild/progress';

/** All that a page shows. It is JSON; times are milliseconds since 1970, sizes bytes. */
export interface ReportData {
  readonly title: string;
  /** The program and its version. */
  readonly madeBy: string;
  readonly build?: BuildFacts;
  /** One for each platform. */
  readonly images: readonly ImageFacts[];
  /** Tables of names and values, such as the provenance. */
  readonly tables: readonly ReportTable[];
}

/** A build, finished or failed. */
export interface BuildFacts {
  readonly outcome: 'built' | 'failed' | 'cancelled';
  readonly startedAt: number;
  readonly finishedAt: number;
  /** What a failed build said, with its code frame. */
  readonly error?: string;
  readonly steps: readonly StepFacts[];
  readonly warnings: readonly WarningFacts[];
  readonly files: readonly { readonly name: string; readonly text: string }[];
  /** The build before this one, to compare with. */
  readonly before?: EarlierBuild;
}

/** What is known of the build before. */
export interface EarlierBuild {
  readonly title: string;
  readonly startedAt: number;
  readonly finishedAt: number;
  readonly steps: readonly Pick<StepFacts, 'name' | 'outcome' | 'runs'>[];
}

export interface StepFacts {
  readonly id: string;
  /** `[build 2/4] RUN make` */
  readonly name: string;
  /** The base first, then the steps that it reads from. */
  readonly inputs: readonly string[];
  readonly location?: SourceRange;
  /** Undefined for a step that did not start. */
  readonly outcome?: Outcome;
  /** When it waited for files of other steps, and when it ran. A step may run more than once. */
  readonly waits: readonly Span[];
  readonly runs: readonly Span[];
  readonly transfers: readonly (Span & { readonly item: string; readonly bytes: number })[];
  /** Why it was not cached. */
  readonly reason?: string;
  /** All that changed, where the reason names only some of it. */
  readonly changes?: readonly string[];
  readonly error?: string;
  /** Its output as it came: when, and what. */
  readonly log: readonly (readonly [at: number, text: string])[];
  /** The size of its layer's files. */
  readonly bytes?: number;
}

export interface Span {
  readonly from: number;
  readonly to: number;
}

export interface WarningFacts {
  readonly message: string;
  readonly location?: SourceRange;
  readonly detail?: string;
  readonly url?: string;
}

export interface ImageFacts {
  readonly name: string;
  readonly platform: string;
  readonly digest: string;
  readonly layers: readonly LayerFacts[];
  /** Of all files in all layers, the largest. */
  readonly largest: readonly FileFacts[];
  /** Files that an upper layer deletes or replaces. */
  readonly wasted: readonly FileFacts[];
  /** Contents that several files have, and the bytes that all but one of them take. */
  readonly duplicates: readonly { readonly paths: readonly string[]; readonly bytes: number }[];
  readonly advice: readonly string[];
}

export interface LayerFacts {
  readonly digest: string;
  /** As it is stored. */
  readonly compressed: number;
  readonly createdBy: string;
  readonly tree: FileTree;
}

/** A directory with everything in it, or a file. `wasted` are the bytes that upper layers delete or replace. */
export type FileTree = readonly [name: string, bytes: number, wasted: number, children?: readonly FileTree[]];

export interface FileFacts {
  readonly path: string;
  /** Index of its layer. */
  readonly layer: number;
  readonly bytes: number;
}

export interface ReportTable {
  readonly title: string;
  readonly rows: readonly (readonly string[])[];
  /** The headings of the columns. */
  readonly columns: readonly string[];
}
