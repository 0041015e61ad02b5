import type { StepCache } from '@tbuild/cache';
import type { ImageRefs, LocalStore } from '@tbuild/content';
import type { Differ } from '@tbuild/diff';
import type { Executor } from '@tbuild/executor';
import type { Exporter } from '@tbuild/exporter';
import type { Outside } from '@tbuild/host';
import type { LayerSubprocess } from '@tbuild/layers';
import type { Platform, Reference } from '@tbuild/oci';
import type { Repository, WebClient } from '@tbuild/registry';
import type { OverlayFlavour, Snapshotter } from '@tbuild/snapshot';
import type { OutputSpec } from '@tbuild/spec';
import type { StoreLayout } from '@tbuild/store';

/** What a build works with; every implementation is chosen in one place, by whoever creates the services. */
export interface Services {
  readonly store: StoreLayout;
  /** The machine's own platform. */
  readonly platform: Platform;
  readonly flavour: OverlayFlavour;
  /** Directories to look for emulators in. */
  readonly searchPath: readonly string[];
  readonly content: LocalStore;
  /** Names of images in the store. */
  readonly refs: ImageRefs;
  readonly snapshots: Snapshotter;
  readonly differ: Differ;
  /** Absent where there is but one processor. */
  readonly layerSubprocess?: LayerSubprocess;
  readonly cache: StepCache;
  /** @throws TbuildError UNSUPPORTED when this machine allows no isolation. */
  executor(): Promise<Executor>;
  /** `push` asks for the right to write at once. */
  openRepository(reference: Reference, access?: 'pull' | 'push'): Promise<Repository>;
  /** The way to servers that are no registries; ended by `close`. */
  openWeb(): Promise<WebClient>;
  /** Runs a program of the user's own (git) as the user's shell would. */
  runProgram: Outside['run'];
  /** What carries an output out, to be done in this order. */
  createExporters(output: OutputSpec): Promise<readonly Exporter[]>;
  /** Ends the connections of this build. */
  close(): Promise<void>;
  /** The machine's own /etc/resolv.conf, from which that of RUN steps is made. */
  resolvConf(): string;
  /** Milliseconds since the epoch. */
  now(): number;
}
