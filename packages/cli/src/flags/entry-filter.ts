import type { UsedSpace } from '@tbuild/gc';
import { conditionOf } from './condition.ts';
import { parseSpan } from './sizes.ts';

/** An entry of the store to judge. */
export type FilteredEntry = Pick<UsedSpace, 'name' | 'kind' | 'description' | 'reclaimable'>;

/** What `--filter` asks for. */
export interface EntryFilter {
  /** Entries that were not used in so many milliseconds. */
  readonly unusedFor?: number;
  /** Decides about an entry; undefined where all are asked for. */
  readonly chooses?: (entry: FilteredEntry) => boolean;
}

/** BuildKit's names of the kinds; all others are `regular`. */
const TYPES: Readonly<Record<string, string>> = {
  'cache mount': 'exec.cachemount',
  'git repository': 'source.git.checkout',
};

/** What a filter compares, by its name in buildx. */
const VALUES: Readonly<Record<string, (entry: FilteredEntry) => readonly string[]>> = {
  id: ({ name }) => [name],
  description: ({ description = '' }) => [description],
  type: ({ kind }) => [TYPES[kind] ?? 'regular', kind],
  inuse: ({ reclaimable }) => [String(!reclaimable)],
  mutable: ({ kind }) => [String(kind in TYPES)],
  immutable: ({ kind }) => [String(!(kind in TYPES))],
};

const WORDS = {
  expected: `until or ${Object.keys(VALUES).join(', ')}`,
  hint: 'Write for example --filter until=24h or --filter type=exec.cachemount',
};

/**
 * Reads `--filter` as buildx does: `until=SPAN`, and `NAME`, `NAME=VALUE`, `NAME!=VALUE`, `NAME~=EXPRESSION` of what an entry
 * has. All of them must hold.
 * @throws TbuildError USAGE
 */
export function parseEntryFilter(texts: readonly string[]): EntryFilter {
  const spans = texts.flatMap((text) => /^(?:until|unused-for)=(.+)$/.exec(text)?.[1] ?? []);
  const conditions = texts
    .filter((text) => !/^(?:until|unused-for)=./.test(text))
    .map((text) => conditionOf(text, VALUES, WORDS));
  return {
    unusedFor: spans.length === 0 ? undefined : Math.max(...spans.map((span) => parseSpan(span, '--filter'))),
    chooses: conditions.length === 0 ? undefined : (entry) => conditions.every((holds) => holds(entry)),
  };
}
