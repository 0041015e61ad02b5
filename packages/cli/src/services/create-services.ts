import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { readCdiDevices, type Services } from '@tbuild/builder';
import { createLocalCache } from '@tbuild/cache';
import { createLocalStore, createRefs, type LocalStore } from '@tbuild/content';
import { createDiffer } from '@tbuild/diff';
import { createExporters } from '@tbuild/exporter';
import { createLayerSubprocess, type LayerSubprocess } from '@tbuild/layers';
import { hostPlatform, type Platform } from '@tbuild/oci';
import { createOverlaySnapshotter } from '@tbuild/snapshot';
import type { Isolation } from '@tbuild/spec';
import { discardUnfinished, storeLayout, type StoreLayout } from '@tbuild/store';
import { type Environment, searchPath } from '../config/environment.ts';
import type { RegistryOptions } from '../config/registries/registry-rules.ts';
import { waitLimits } from '../config/registries/wait-limits.ts';
import { makeStore } from '../config/store-root.ts';
import { unpackLimits } from '../config/unpack-limits.ts';
import { partCommand, programFile } from '../startup/executable.ts';
import { V8_OPTIONS } from '../startup/v8-options.ts';
import { openAddedTrust } from './added-trust.ts';
import { createConnections } from './connections.ts';
import { flavourOf } from './isolation.ts';
import { openSteps } from './open-steps.ts';
import type { ShowWait } from './waiting-clock.ts';

export interface ServicesOptions {
  /** The store's directory. */
  readonly root: string;
  /** How to reach registries, beside the configuration of the machine. */
  readonly registries?: RegistryOptions;
  /** What unpacking an archive may take, in the form of `--unpack-limits`. */
  readonly unpackLimits?: string;
  /** How RUN steps are isolated. Defaults to `auto`. */
  readonly isolation?: Isolation;
  /** Where CDI specifications are. */
  readonly cdiSpecDirs?: readonly string[];
  /** Receives warnings about the isolation of steps. */
  readonly warn?: (message: string, detail?: string) => void;
  /** Ports of the machine's loopback that steps may use. */
  readonly loopbackPorts?: readonly number[];
  /** Shows a wait that a server asks for. Defaults to a line on standard error. */
  readonly showWait?: ShowWait;
}

/** Chooses every implementation that a command works with. Loads and makes none before it is needed. */
export function createServices(options: ServicesOptions, env: Environment): Services {
  const { root, registries = { insecure: [] }, isolation = 'auto', warn = () => {} } = options;
  const store = openStore(root, env);
  const limits = unpackLimits(options.unpackLimits, root, env.variables);
  const now = (): number => Date.now();
  const flavour = flavourOf(env);
  const content = createLocalStore(root, { usedAt: now() });
  const refs = createRefs(store);
  const { close, ...connections } = createConnections({ registries, showWait: options.showWait }, env);
  const layerSubprocess = openLayerSubprocess(store, content);
  const discard = (directory: string): void => discardUnfinished(store, directory);
  const { close: endSteps, ...steps } = openSteps({ ...options, isolation, store, flavour, now, discard, warn }, env);
  const trust = openAddedTrust(registries.ca, env);
  return {
    store,
    platform: thisPlatform(),
    flavour,
    unpackLimits: limits,
    searchPath: searchPath(env),
    content,
    refs,
    snapshots: createOverlaySnapshotter({ store, flavour }),
    differ: createDiffer({ content, flavour, limits }),
    layerSubprocess,
    cache: createLocalCache(store.records),
    ...steps,
    ...connections,
    runProgram: trust.runProgram,
    idleTimeoutMs: waitLimits(registries, env.variables).idleTimeoutMs,
    gitConnection: gitConnection(),
    certificates: trust.certificates,
    ...aboutSteps(options, env),
    createExporters: (output) =>
      createExporters(output, {
        store,
        content,
        refs,
        flavour,
        openRepository: (reference) => connections.openRepository(reference, 'push'),
        surroundings: async () => (await import('./surroundings.ts')).surroundingsOf(env),
      }),
    async close() {
      await layerSubprocess?.stop();
      await endSteps();
      await close();
      trust[Symbol.dispose]();
    },
    now,
  };
}

const CDI_DIRECTORIES = ['/etc/cdi', '/var/run/cdi', '/etc/buildkit/cdi'];

function openStore(root: string, env: Environment): StoreLayout {
  makeStore(root, env);
  return storeLayout(root);
}

function gitConnection(): Services['gitConnection'] {
  return {
    command: partCommand(join(dirname(import.meta.url), 'git-connection.cjs'), []),
    launcher: join(dirname(programFile()), '../bin/tbuild'),
  };
}

/** Returns what steps need to know of this machine. */
function aboutSteps(
  { cdiSpecDirs = CDI_DIRECTORIES }: Pick<ServicesOptions, 'cdiSpecDirs'>,
  { variables }: Environment,
): Pick<Services, 'singleId' | 'secretKey' | 'cdiDevices' | 'resolvConf'> {
  return {
    singleId: variables.TBUILD_SINGLE_ID,
    secretKey: variables.TBUILD_SECRET_KEY || undefined,
    cdiDevices: () => readCdiDevices(cdiSpecDirs),
    resolvConf: () => readOptional('/etc/resolv.conf'),
  };
}

/** Opens the subprocess that writes layers; none for a single processor. */
function openLayerSubprocess(...places: readonly [StoreLayout, LocalStore]): LayerSubprocess | undefined {
  if (availableParallelism() === 1) return undefined;
  const script = join(dirname(import.meta.url), 'layer-process.cjs');
  return createLayerSubprocess(...places, [...partCommand(script, V8_OPTIONS), String(process.pid)]);
}

/** Returns the machine's platform. */
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
