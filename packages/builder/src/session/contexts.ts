import { createHash } from 'node:crypto';
import { join } from 'node:path';
import {
  createFileHasher,
  digestSelection,
  measureGitIgnored,
  openContext,
  openStatIndex,
  type BuildContext,
  type GitIgnored,
  type SelectedSource,
  type StatIndex,
} from '@tbuild/context';
import { TbuildError } from '@tbuild/errors';
import type { ContextSpec } from '../request.ts';

/** A directory context that is open: its tree, and digests remembered from earlier builds. */
export interface OpenContext extends BuildContext {
  readonly hasher: StatIndex;
  /** Files of the user's become root's, those that were fetched keep their owners. */
  readonly owner: 'keep' | 'root';
}

/** The contexts of one build, each opened on first use. */
export interface Contexts {
  /** @throws TbuildError CONTEXT when there is no such directory. */
  open(name: string): OpenContext;
  /** Tells of what was copied that nobody may want to have copied. */
  onCopied(name: string, selection: readonly SelectedSource[]): void;
  /** Shows that files of the context were read. */
  onRead(name: string, bytes: number): void;
  /** Writes what was learnt of the files' digests. */
  save(): void;
}

export interface ContextsOptions {
  readonly specs: Readonly<Record<string, ContextSpec>>;
  /** The Dockerfile's path, whose own ignore file comes first. */
  readonly dockerfile?: string;
  /** Where stat indexes are kept. */
  readonly indexDirectory: string;
  /** Called when files of a context were read for a key, with their size in bytes. */
  onRead(name: string, bytes: number): void;
  /** Called at most once, when most of a large copy is what git ignores. */
  onGitIgnored(ignored: GitIgnored): void;
}

export function createContexts(options: ContextsOptions): Contexts {
  const opened = new Map<string, OpenContext>();
  let told = false;
  return {
    open(name) {
      const known = opened.get(name);
      if (known !== undefined) return known;
      const context = openSpec(name, options);
      opened.set(name, context);
      return context;
    },
    onRead: options.onRead,
    onCopied(name, selection) {
      const spec = options.specs[name];
      if (told || spec?.kind !== 'directory' || spec.fetched !== undefined) return;
      const ignored = measureGitIgnored(spec.path, selection);
      if (ignored !== undefined) options.onGitIgnored(ignored);
      told = ignored !== undefined;
    },
    save() {
      for (const { hasher } of opened.values()) hasher.save();
    },
  };
}

/** The name of the main context. */
export const MAIN_CONTEXT = 'context';

function openSpec(name: string, options: ContextsOptions): OpenContext {
  const spec = options.specs[name];
  if (spec === undefined || (spec.kind !== 'directory' && spec.kind !== 'empty'))
    throw new Error(`Context ${name} is not a directory`);
  if (spec.kind === 'empty') {
    throw new TbuildError('CONTEXT', 'This build has no context to copy files from', {
      hint: 'Name a directory as the last argument instead of "-"',
    });
  }
  const file = createHash('sha256').update(spec.path).digest('hex');
  const dockerfile = name === MAIN_CONTEXT ? options.dockerfile : undefined;
  const { path, fetched } = spec;
  const hasher = fetched === 'once' ? forgetful() : openStatIndex(join(options.indexDirectory, file));
  return {
    ...openContext(path, { dockerfile, ignoreFiles: fetched === undefined }),
    hasher,
    owner: fetched === undefined ? 'root' : 'keep',
  };
}

/** For files of this build only, which nobody else writes to. */
function forgetful(): StatIndex {
  const hasher = createFileHasher();
  return {
    ...hasher,
    digestSelection: (sources, options) => digestSelection(sources, { ...options, hasher }),
    haveStableStats: () => true,
    save() {},
  };
}
