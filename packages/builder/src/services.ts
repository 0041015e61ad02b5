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

/** The implementations that a build works with. The creator chooses all of them in one place. */
export interface Services {
  readonly store: StoreLayout;
  /** Platform of this machine. */
  readonly platform: Platform;
  readonly flavour: OverlayFlavour;
  /** Directories to search for emulators. */
  readonly searchPath: readonly string[];
  readonly content: LocalStore;
  /** Names of images in the store. */
  readonly refs: ImageRefs;
  readonly snapshots: Snapshotter;
  readonly differ: Differ;
  /** Undefined on a machine with a single core. */
  readonly layerSubprocess?: LayerSubprocess;
  readonly cache: StepCache;
  /**
   * Returns the executor.
   * @throws TbuildError UNSUPPORTED if this machine allows no isolation.
   */
  executor(): Promise<Executor>;
  /** Opens a repository. `push` requests write access immediately. */
  openRepository(reference: Reference, access?: 'pull' | 'push'): Promise<Repository>;
  /** Opens the client for servers other than registries. `close` ends it. */
  openWeb(): Promise<WebClient>;
  /** Runs the user's programs (git) as the user's shell would. */
  runProgram: Outside['run'];
  /** Creates the exporters of an output, in the order in which they run. */
  createExporters(output: OutputSpec): Promise<readonly Exporter[]>;
  /** Ends the connections of this build. */
  close(): Promise<void>;
  /** Returns the machine's /etc/resolv.conf, from which that of RUN steps is made. */
  resolvConf(): string;
  /** Milliseconds since the epoch. */
  now(): number;
}
