import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import type { Services } from '@tbuild/builder';
import { createLocalCache } from '@tbuild/cache';
import { createLocalStore, createRefs } from '@tbuild/content';
import { createDiffer } from '@tbuild/diff';
import { type Executor } from '@tbuild/executor';
import { createExporters } from '@tbuild/exporter';
import { createLayerSubprocess } from '@tbuild/layers';
import { hostPlatform, type Platform } from '@tbuild/oci';
import { createOverlaySnapshotter } from '@tbuild/snapshot';
import type { RegistryClient, WebClient } from '@tbuild/registry';
import type { Isolation } from '@tbuild/spec';
import { moveToTrash, storeLayout } from '@tbuild/store';
import { chooseExecutor, closeExecutor } from './choose-executor.ts';
import { type Environment, searchPath } from '../config/environment.ts';
import { flavourOf } from './isolation.ts';
import type { RegistryOptions } from '../config/registries/registry-rules.ts';
import { openOutside } from './run-program.ts';
import { makeStore } from '../config/store-root.ts';
import type { ShowWait } from './waiting-clock.ts';
import { YOUNG_SPACE } from '../startup/young-space.ts';

export interface WorkerOptions {
  /** The store's directory. */
  readonly root: string;
  /** How registries are spoken to; as the configuration of the machine says unless given. */
  readonly registries?: RegistryOptions;
  /** How RUN steps are contained; `auto` when absent. */
  readonly isolation?: Isolation;
  /** Is told what people should know about how steps are contained. */
  readonly warn?: (message: string, detail: string) => void;
  /** Shows that a server asks for patience; a line on standard error unless given. */
  readonly showWait?: ShowWait;
}

/** The one place where implementations are chosen. Nothing is loaded or made before it is needed. */
export function createWorker(
  { root, registries = { insecure: [] }, isolation = 'auto', warn = () => {}, showWait }: WorkerOptions,
  env: Environment,
): Services {
  makeStore(root, env);
  const store = storeLayout(root);
  const now = (): number => Date.now();
  const flavour = flavourOf(env);
  const content = createLocalStore(root, { usedAt: now() });
  const refs = createRefs(store);
  let registry: RegistryClient | undefined;
  let web: WebClient | undefined;
  const layerScript = join(dirname(import.meta.url), 'layer-process.cjs');
  const layerSubprocess =
    availableParallelism() > 1
      ? createLayerSubprocess(store, content, [process.execPath, YOUNG_SPACE, layerScript, String(process.pid)])
      : undefined;
  let executor: (Executor & Partial<Disposable>) | undefined;
  const openRepository: Services['openRepository'] = async (reference, access) => {
    const { openRegistry } = await import('./open-registry.ts');
    registry ??= openRegistry(registries, env, { showWait });
    return registry.openRepository(reference, access);
  };
  return {
    store,
    platform: thisPlatform(),
    flavour,
    searchPath: searchPath(env),
    content,
    refs,
    snapshots: createOverlaySnapshotter({ store, flavour }),
    differ: createDiffer({ content, flavour }),
    layerSubprocess,
    cache: createLocalCache(store.records),
    async executor() {
      if (executor !== undefined) return executor;
      const discard = (directory: string): void => void moveToTrash(store, directory);
      return (executor ??= chooseExecutor({ isolation, store, flavour, now, discard, warn }, env));
    },
    openRepository,
    async openWeb() {
      const { openWeb } = await import('./open-registry.ts');
      return (web ??= openWeb(env, showWait));
    },
    runProgram: (args, options) => openOutside(env).run(args, options),
    createExporters: (output) =>
      createExporters(output, {
        store,
        content,
        refs,
        flavour,
        openRepository: (reference) => openRepository(reference, 'push'),
        surroundings: async () => (await import('./surroundings.ts')).surroundingsOf(env),
      }),
    async close() {
      await layerSubprocess?.stop();
      if (executor !== undefined) await closeExecutor(executor);
      await registry?.[Symbol.asyncDispose]();
      await web?.[Symbol.asyncDispose]();
    },
    resolvConf: () => readOptional('/etc/resolv.conf'),
    now,
  };
}

/** The machine's own. */
export function thisPlatform(): Platform {
  return hostPlatform(process.platform, process.arch);
}

function readOptional(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
