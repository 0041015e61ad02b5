import { TbuildError } from '@tbuild/errors';
import {
  createChrootExecutor,
  createNamespaceExecutor,
  createOciExecutor,
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
  /** Takes a directory away that is needed no more. */
  readonly discard: (directory: string) => void;
  /** Is told once what the isolation that was chosen lacks. */
  readonly warn: (message: string, detail: string) => void;
}

/** The strongest isolation that this machine allows, or the one that was asked for. */
export function chooseExecutor(choice: ExecutorChoice, env: Environment): Executor & Partial<Disposable> {
  const { isolation, store, flavour, now, discard } = choice;
  const runDirectory = store.run;
  // It takes a while, in which the first step is made ready; the step meets what may be wrong with it.
  if (flavour === 'trusted') enterDeviceGuard().catch(() => {});
  const verdict = env.variables.TBUILD_ISOLATION_VERDICT ?? '';
  if (isolation === 'chroot') return createChrootExecutor({ runDirectory, flavour, discard });
  if (verdict !== '') return withoutNamespaces(verdict, choice);
  const inNamespaces =
    isolation === 'oci'
      ? createOciExecutor({ runDirectory, flavour, now, runtime: requireRuntime() })
      : createNamespaceExecutor({ runDirectory, flavour, now });
  if (overlayObstacle(store.root, flavour) === undefined) return inNamespaces;
  return withMaterialisedTrees(inNamespaces, { runDirectory, flavour, discard });
}

/** Ends what an executor keeps, when all its steps have ended. */
export async function closeExecutor(executor: Executor & Partial<Disposable>): Promise<void> {
  executor[Symbol.dispose]?.();
  await removeDeviceGuardSoon();
}

function requireRuntime(): string {
  const runtime = findRuntime();
  if (runtime !== undefined) return runtime;
  throw new TbuildError('UNSUPPORTED', 'There is no OCI runtime on this machine', {
    hint: 'Install crun, runc or youki',
  });
}

const CHROOT_LACKS =
  'They share the process, network and UTS namespaces of this job, have no /proc, and can write to read-only mounts. Use --isolation chroot to accept that without a warning.';

function withoutNamespaces(verdict: string, { isolation, store, flavour, discard, warn }: ExecutorChoice): Executor {
  const obstacle = chrootObstacle();
  if (isolation !== 'auto' || obstacle !== undefined)
    throw new TbuildError('UNSUPPORTED', `RUN steps cannot be contained on this machine: ${verdict}`, {
      hint: obstacle === undefined ? 'Contain them less, with --isolation auto' : `Otherwise, ${obstacle}`,
    });
  warn(`RUN steps are isolated by chroot only. ${verdict}`, CHROOT_LACKS);
  return createChrootExecutor({ runDirectory: store.run, flavour, discard });
}
