import type { LocalStore } from '@tbuild/content';
import type { Programs } from '@tbuild/engine';
import type { Reference } from '@tbuild/oci';
import type { EncodedExport } from '../encode/encode-export.ts';
import type { ExportRun } from '../exporter.ts';

/** What loading through a program needs. */
export interface ProgramPorts {
  readonly programs: Programs;
  /** The store with the layers of this build. */
  readonly content: LocalStore;
  /** A directory for temporary files, which the user's programs can read. */
  readonly directory: string;
}

/** An image or index, and its names. */
export interface NamedExport {
  readonly encoded: EncodedExport;
  readonly names: readonly Reference[];
}

/** An engine that loads an archive from the standard input of its program. */
export interface LoadingProgram {
  readonly name: string;
  /** The engine's name for people. */
  readonly title: string;
  /** Whether it takes an index: several platforms, and attestations. */
  readonly takesIndex: boolean;
  load(options: { readonly isIndex: boolean }): readonly string[];
  /** Loads an image without the layers that the engine has. Returns whether it could: else the engine gets all of them. */
  loadMissing?(image: NamedExport, ports: ProgramPorts, run: ExportRun): Promise<boolean>;
  /** Returns whether the engine is used when the user chose none. */
  isThere(programs: Programs, signal: AbortSignal): Promise<boolean>;
}
