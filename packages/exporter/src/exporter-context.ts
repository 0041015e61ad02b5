import type { ImageRefs, LocalStore } from '@tbuild/content';
import type { EngineAddress, Programs } from '@tbuild/engine';
import type { OverlayFlavour } from '@tbuild/snapshot';
import type { StoreLayout } from '@tbuild/store';
import type { Destination } from './destination.ts';
import type { PushOptions } from './push.ts';

/** What exporters take from the machine and from the user. */
export interface ExporterContext {
  readonly store: StoreLayout;
  readonly content: LocalStore;
  readonly refs: ImageRefs;
  readonly flavour: OverlayFlavour;
  /** Opens a repository to push to. */
  readonly openRepository: PushOptions['openRepository'];
  /** Returns the surroundings, which the store alone does not need. */
  surroundings(): Promise<Surroundings>;
}

/** What an output needs of the user's session. */
export interface Surroundings {
  /** The owner of files in a local tree. */
  readonly owner: { readonly uid: number; readonly gid: number };
  /**
   * Opens an absolute path, or `-` for standard output.
   * @throws TbuildError USAGE when that is a terminal.
   */
  openDestination(path: string): Destination;
  /**
   * Returns the address of the Docker context of this name, or of the one that the user chose, or else the usual one.
   * @throws TbuildError USAGE for a context that does not exist.
   */
  dockerAddress(context: string | undefined): EngineAddress & { readonly isChosen: boolean };
  /** The engine to load into, if the user chose one: docker, podman, nerdctl or ctr. */
  readonly engineName: string | undefined;
  readonly programs: Programs;
}
