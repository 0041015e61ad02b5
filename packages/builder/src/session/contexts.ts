import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { getOrMake } from '@tbuild/concurrency';
import {
  createFileHasher,
  digestSelection,
  measureGitIgnored,
  ignoreFileOf,
  openContext,
  openStatIndex,
  type BuildContext,
  type GitIgnored,
  type SelectedSource,
  type StatIndex,
} from '@tbuild/context';
import { TbuildError } from '@tbuild/errors';
import { canonicalJson } from '@tbuild/oci';
import type { NamedContextSpec } from '../request.ts';

/** An open directory context: its tree, and digests from earlier builds. */
export interface OpenContext extends BuildContext {
  readonly hasher: StatIndex;
  /** `root` for the user's files, `keep` for fetched files. */
  readonly owner: 'keep' | 'root';
}

/** The contexts of a build, each opened on first use. */
export interface Contexts {
  /**
   * Opens a context.
   * @throws TbuildError CONTEXT if its directory does not exist.
   */
  open(name: string): OpenContext;
  /** Warns if a copy contains mostly files that git ignores. */
  onCopied(name: string, selection: readonly SelectedSource[]): void;
  /** Reports that files of the context were read. */
  onRead(name: string, bytes: number): void;
  /** Saves the digests learned in this build. */
  save(): void;
}

/** The contexts that the targets of a build have in common: each directory is read once. */
export interface ContextPool {
  readonly contexts: Map<string, OpenContext>;
  /** The digests of each directory, whatever its ignore file. */
  readonly hashers: Map<string, StatIndex>;
}

export function createContextPool(): ContextPool {
  return { contexts: new Map(), hashers: new Map() };
}

export interface ContextsOptions {
  readonly specs: Readonly<Record<string, NamedContextSpec>>;
  /** Path of the Dockerfile, whose own ignore file takes precedence. */
  readonly dockerfile?: string;
  /** The ignore file of the main context, instead of its own. */
  readonly ignoreFile?: string;
  /** Directory of the stat indexes. */
  readonly indexDirectory: string;
  readonly pool?: ContextPool;
  /** Called when files of a context are read for a key, with their size in bytes. */
  onRead(name: string, bytes: number): void;
  /** Called at most once, if git ignores most of a large copy. */
  onGitIgnored(ignored: GitIgnored): void;
}

export function createContexts({ pool = createContextPool(), ...options }: ContextsOptions): Contexts {
  const opened = new Map<string, OpenContext>();
  let isWarned = false;
  return {
    open: (name) => getOrMake(opened, name, () => openSpec(name, { ...options, pool })),
    onRead: options.onRead,
    onCopied(name, selection) {
      const spec = options.specs[name];
      if (isWarned || spec?.kind !== 'directory' || spec.fetched !== undefined) return;
      const ignored = measureGitIgnored(spec.path, selection);
      if (ignored !== undefined) options.onGitIgnored(ignored);
      isWarned = ignored !== undefined;
    },
    save() {
      for (const { hasher } of opened.values()) hasher.save();
    },
  };
}

/** Name of the main context. */
export const MAIN_CONTEXT = 'context';

type PooledOptions = ContextsOptions & { readonly pool: ContextPool };

function openSpec(name: string, options: PooledOptions): OpenContext {
  const spec = options.specs[name];
  if (spec === undefined || (spec.kind !== 'directory' && spec.kind !== 'empty'))
    throw new Error(`Context ${name} is not a directory`);
  if (spec.kind === 'empty') {
    throw new TbuildError('CONTEXT', 'This build has no context to copy files from', {
      hint: 'Pass a directory as the last argument instead of "-"',
    });
  }
  const dockerfile = name === MAIN_CONTEXT ? options.dockerfile : undefined;
  const ignoreFile = name === MAIN_CONTEXT ? options.ignoreFile : undefined;
  const key = contextIdentity(spec, dockerfile, ignoreFile);
  const { path, fetched } = spec;
  return getOrMake(options.pool.contexts, key, () => ({
    ...openContext(path, { dockerfile, ignoreFile, ignoreFiles: fetched === undefined }),
    hasher: hasherOf(spec, options),
    owner: fetched === undefined ? 'root' : 'keep',
  }));
}

type DirectorySpec = Extract<NamedContextSpec, { kind: 'directory' }>;

/** Returns a text that is equal for contexts with the same files: the directory and the ignore file that applies. */
export function contextIdentity(spec: NamedContextSpec, dockerfile: string | undefined, ignoreFile?: string): string {
  if (ignoreFile !== undefined) return canonicalJson({ ...spec, ignoreFile });
  if (spec.kind !== 'directory' || dockerfile === undefined) return canonicalJson(spec);
  const own = ignoreFileOf(spec.path, dockerfile);
  return canonicalJson({ ...spec, ...(own === undefined ? {} : { ignoreFile: own }) });
}

function hasherOf({ path, fetched }: DirectorySpec, { pool, indexDirectory }: PooledOptions): StatIndex {
  return getOrMake(pool.hashers, path, () => {
    const file = createHash('sha256').update(path).digest('hex');
    return fetched === 'once' ? forgetful() : openStatIndex(join(indexDirectory, file));
  });
}

/** Creates a stat index that is not saved, for files of this build only, which no other process changes. */
function forgetful(): StatIndex {
  const hasher = createFileHasher();
  return {
    ...hasher,
    openSelection: (sources, options) => ({
      isNew: false,
      digest: () => digestSelection(sources, { ...options, hasher }),
    }),
    digestOnce: () => undefined,
    haveStableStats: () => true,
    save() {},
  };
}
