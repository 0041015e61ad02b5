import type { StepCache } from '@tbuild/cache';
import type { UnpackLimits } from '@tbuild/diff';
import type { Exporter } from '@tbuild/exporter';
import type { LayerSubprocess, ResultStore } from '@tbuild/layers';
import type { ObjectBlobs } from '@tbuild/object-store';
import type { Reference } from '@tbuild/oci';
import type { Access, Repository } from '@tbuild/registry';
import type { OverlayFlavour } from '@tbuild/snapshot';
import type { ImageSources, Web } from '@tbuild/sources';
import type { OutputSpec } from '@tbuild/spec';
import type { StoreLayout } from '@tbuild/store';
import type { GitPorts } from './ops/fetch/git.ts';
import type { SecretPorts } from './ops/run/mounts/hashed-secret.ts';
import type { Machine } from './ops/run/require-platform.ts';
import type { RunPorts } from './ops/run/run.ts';
import type { BucketPlace } from './request.ts';

/**
 * The implementations that a build works with. The creator chooses all of them in one place. Each part of a build
 * names those that it uses.
 */
export interface Services
  extends
    ImageSources,
    Web,
    ResultStore,
    Machine,
    Pick<GitPorts, 'runProgram' | 'idleTimeoutMs' | 'gitConnection'>,
    Pick<SecretPorts, 'secretKey'>,
    Pick<RunPorts, 'executor' | 'network' | 'resolvConf' | 'certificates' | 'singleId' | 'cdiDevices'> {
  readonly store: StoreLayout;
  readonly flavour: OverlayFlavour;
  /** What unpacking an archive may take. */
  readonly unpackLimits: UnpackLimits;
  /** Undefined on a machine with a single core. */
  readonly layerSubprocess?: LayerSubprocess;
  readonly cache: StepCache;
  /** Opens a repository. `push` and `delete` request that access immediately. */
  openRepository(reference: Reference, access?: Access): Promise<Repository>;
  /**
   * Opens the caches of a bucket, without a request.
   * @throws TbuildError UNAUTHORIZED without credentials.
   */
  openBucket(place: BucketPlace): Promise<ObjectBlobs>;
  /** Creates the exporters of an output, in the order in which they run. */
  createExporters(output: OutputSpec): Promise<readonly Exporter[]>;
  /** Ends the connections of this build. */
  close(): Promise<void>;
}
