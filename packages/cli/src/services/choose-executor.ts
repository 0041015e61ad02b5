import { TbuildError } from '@tbuild/errors';
import {
  createChrootExecutor,
  createNamespaceExecutor,
  createOciExecutor,
  emulatedOn,
  type Executor,
  enterDeviceGuard,
  findRuntime,
  overlayObstacle,
  removeDeviceGuardSoon,
  withMaterialisedTrees,
} from '@tbuild/executor';
import type { OverlayFlavour } from '@tbuild/snapshot';
import type { Isolation } from '@tbuild/spec';
import type { StoreLayout } from '@tbuild/store';
import type { Environment } from '../config/environment.ts';
import { chrootObstacle } from './isolation.ts';

export interface ExecutorChoice {
  readonly isolation: Isolation;
  readonly store: StoreLayout;
  readonly flavour: OverlayFlavour;
  readonly now: () => number;
  /** Removes a directory that is no longer needed. */
  readonly discard: (directory: string) => void;
  /** Receives once a warning about what the chosen isolation lacks. */
  readonly warn: (message: string, detail: string) => void;
}

/** An executor that is chosen on first use. */
export interface LazyExecutor {
  /**
   * Returns the same executor, or fails with the same error, each time.
   * @throws TbuildError UNSUPPORTED if this machine allows no isolation.
   */
  get(): Promise<Executor>;
  /** Ends its resources, when all steps have ended. */
  close(): Promise<void>;
}

export function lazyExecutor(choice: ExecutorChoice, env: Pick<Environment, 'variables'>): LazyExecutor {
  let executor: Promise<Executor & Partial<Disposable>> | undefined;
  return {
    get: () => (executor ??= chooseExecutor(choice, env)),
    async close() {
      if (executor === undefined) return;
      const chosen = await executor.catch(() => undefined);
      chosen?.[Symbol.dispose]?.();
      // The guard is entered before the choice can fail.
      await removeDeviceGuardSoon();
    },
  };
}

/** Creates the executor with the strongest isolation that this machine allows, or with the one that the user chose. */
async function chooseExecutor(
  choice: ExecutorChoice,
  env: Pick<Environment, 'variables'>,
): Promise<Executor & Partial<Disposable>> {
  const { isolation, store, flavour, now, discard } = choice;
  const runDirectory = store.run;
  // Runs while the first step is prepared; the step reports a failure.
  if (flavour === 'trusted') enterDeviceGuard().catch(() => {});
  warnIfEmulated(choice);
  const verdict = env.variables.TBUILD_ISOLATION_VERDICT ?? '';
  if (isolation === 'chroot') return createChrootExecutor({ runDirectory, flavour, discard });
  if (verdict !== '') return withoutNamespaces(verdict, choice);
  const inNamespaces =
    isolation === 'oci'
      ? createOciExecutor({ runDirectory, flavour, now, runtime: requireRuntime() })
      : createNamespaceExecutor({ runDirectory, flavour, now });
  if (overlayObstacle(store, flavour) === undefined) return inNamespaces;
  return withMaterialisedTrees(inNamespaces, { runDirectory, flavour, discard });
}

function requireRuntime(): string {
  const runtime = findRuntime();
  if (runtime !== undefined) return runtime;
  throw new TbuildError('UNSUPPORTED', 'This machine has no OCI runtime', {
    hint: 'Install crun, runc or youki',
  });
}

function warnIfEmulated({ warn }: ExecutorChoice): void {
  const machine = emulatedOn();
  if (machine === undefined) return;
  warn(
    `RUN steps have no seccomp filter, because tbuild itself is emulated (${process.arch} on ${machine})`,
    'Use the tbuild of the machine, which runs steps of other architectures by qemu.',
  );
}

const CHROOT_LACKS =
  'They share the process and UTS namespaces of this job, and usually its network; of /proc they have only cpuinfo and meminfo, and they can write to read-only mounts. Use --isolation chroot to accept that without a warning.';

function withoutNamespaces(verdict: string, { isolation, store, flavour, discard, warn }: ExecutorChoice): Executor {
  const obstacle = chrootObstacle();
  if (isolation !== 'auto' || obstacle !== undefined)
    throw new TbuildError('UNSUPPORTED', `Cannot isolate RUN steps on this machine: ${verdict}`, {
      hint: obstacle === undefined ? 'Use --isolation auto to allow weaker isolation' : `Otherwise, ${obstacle}`,
    });
  warn(`RUN steps are isolated by chroot only. ${verdict}`, CHROOT_LACKS);
  return createChrootExecutor({ runDirectory: store.run, flavour, discard });
}
