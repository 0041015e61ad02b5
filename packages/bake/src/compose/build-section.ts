import { TbuildError } from '@tbuild/errors';
import { parseBool, parseEntry, type EntryAttribute } from '../definition/entries.ts';
import type { AttributeName, Entry, TargetAttributes } from '../definition/target.ts';
import type { Lookup } from './interpolate.ts';
import { isMapping, type Mapping } from './parse-compose.ts';
import { formatSize, parseSize } from './sizes.ts';

/** What the values of a build section refer to. */
export interface BuildScope {
  /** Looks up the value of an argument that has none. */
  readonly lookup: Lookup;
  readonly secrets: Mapping;
  /** Runs work that reads an item of the value, whose place its error gets. */
  within<T>(item: string, work: () => T): T;
}

/** An attribute of a build section: that of the target which it gives, and how its value is read. */
interface BuildKey {
  readonly attribute: AttributeName;
  /** @throws TbuildError BAKE_FILE */
  read(value: unknown, scope: BuildScope): unknown;
}

/** The attributes of a build section. Undefined ones have no effect, as in buildx. */
export const BUILD_KEYS: Readonly<Record<string, BuildKey | undefined>> = {
  context: { attribute: 'context', read: textOf },
  additional_contexts: { attribute: 'contexts', read: contextsOf },
  dockerfile: { attribute: 'dockerfile', read: textOf },
  dockerfile_inline: { attribute: 'dockerfile-inline', read: textOf },
  args: { attribute: 'args', read: argsOf },
  labels: { attribute: 'labels', read: (value) => mapOf(value, textOrEmpty) },
  tags: { attribute: 'tags', read: textsOf },
  cache_from: { attribute: 'cache-from', read: entriesOf('cache-from') },
  cache_to: { attribute: 'cache-to', read: entriesOf('cache-to') },
  target: { attribute: 'target', read: textOf },
  secrets: { attribute: 'secret', read: secretsOf },
  ssh: { attribute: 'ssh', read: sshOf },
  platforms: { attribute: 'platforms', read: textsOf },
  pull: { attribute: 'pull', read: onlyTrue },
  no_cache: { attribute: 'no-cache', read: onlyTrue },
  network: { attribute: 'network', read: textOf },
  shm_size: { attribute: 'shm-size', read: (value) => formatSize(parseSize(String(value))) },
  ulimits: { attribute: 'ulimits', read: ulimitsOf },
  extra_hosts: { attribute: 'extra-hosts', read: (value) => mapOf(value, (all) => listOf(all).map(String).join(',')) },
  sbom: { attribute: 'attest', read: attestOf('sbom') },
  provenance: { attribute: 'attest', read: attestOf('provenance') },
  entitlements: undefined,
  privileged: undefined,
  isolation: undefined,
  no_cache_filter: undefined,
};

/** The attributes of `x-bake`, which add to those of the section. */
export const EXTENSION_KEYS: Readonly<Record<string, BuildKey>> = {
  contexts: { attribute: 'contexts', read: contextsOf },
  tags: { attribute: 'tags', read: wordsOf },
  'cache-from': { attribute: 'cache-from', read: entriesOf('cache-from', wordsOf) },
  'cache-to': { attribute: 'cache-to', read: entriesOf('cache-to', wordsOf) },
  secret: { attribute: 'secret', read: entriesOf('secret', wordsOf) },
  ssh: { attribute: 'ssh', read: entriesOf('ssh', wordsOf) },
  platforms: { attribute: 'platforms', read: wordsOf },
  output: { attribute: 'output', read: entriesOf('output', wordsOf) },
  pull: { attribute: 'pull', read: boolOf },
  'no-cache': { attribute: 'no-cache', read: boolOf },
  'no-cache-filter': { attribute: 'no-cache-filter', read: wordsOf },
};

/** Replaces what the name of a target cannot have. */
export const targetName = (service: string): string => service.replaceAll('.', '_');

/** Returns a scalar as text, and undefined for an empty one. @throws TbuildError BAKE_FILE */
export function textOf(value: unknown): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value === 'object')
    throw new TbuildError('BAKE_FILE', `Invalid compose file: expected a text, found ${JSON.stringify(value)}`);
  return String(value);
}

const textOrEmpty = (value: unknown): string => textOf(value) ?? '';

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value]);

function textsOf(value: unknown, { within }: BuildScope): string[] | undefined {
  if (!Array.isArray(value))
    throw new TbuildError('BAKE_FILE', `Invalid compose file: expected a list, found ${JSON.stringify(value)}`);
  const texts = value.flatMap((item: unknown) => within(String(item), () => textOf(item) ?? []));
  return texts.length === 0 ? undefined : texts;
}

/** A text of `x-bake` is a list of words. */
function wordsOf(value: unknown, scope: BuildScope): string[] | undefined {
  return textsOf(typeof value === 'string' ? value.split(/\s+/).filter((word) => word !== '') : value, scope);
}

function mapOf(value: unknown, read: (item: unknown) => string | undefined): Record<string, string> | undefined {
  if (!isMapping(value)) throw new TbuildError('BAKE_FILE', 'Invalid compose file: expected names and values');
  const pairs = Object.entries(value).flatMap(([name, item]): [string, string][] => {
    const text = read(item);
    return text === undefined ? [] : [[name, text]];
  });
  return pairs.length === 0 ? undefined : Object.fromEntries(pairs);
}

function contextsOf(value: unknown): Record<string, string> | undefined {
  return mapOf(value, (item) =>
    textOrEmpty(item).replace(/^(?:service|target):(.*)$/, (_, other: string) => `target:${targetName(other)}`),
  );
}

/** An argument without a value gets that of the service's environment, or of the surroundings. */
function argsOf(value: unknown, { lookup, within }: BuildScope): Record<string, string> | undefined {
  if (!isMapping(value)) throw new TbuildError('BAKE_FILE', 'Invalid compose file: expected names and values');
  const pairs = Object.entries(value).flatMap(([name, item]): [string, string][] => {
    const text = item === null ? lookup(name) : within(name, () => textOrEmpty(item));
    return text === undefined ? [] : [[name, text]];
  });
  return pairs.length === 0 ? undefined : Object.fromEntries(pairs);
}

function entriesOf(attribute: EntryAttribute, read = textsOf): BuildKey['read'] {
  return (value, scope) =>
    read(value, scope)?.map((text) => scope.within(text, (): Entry => parseEntry(attribute, text)));
}

function secretsOf(value: unknown, { secrets, within }: BuildScope): Entry[] {
  return listOf(value).map((item) => {
    const source = isMapping(item) ? item.source : item;
    return within(String(source), () => secretOf(String(source), secrets[String(source)]));
  });
}

function secretOf(id: string, secret: unknown): Entry {
  if (!isMapping(secret))
    throw new TbuildError('BAKE_FILE', `The secret ${JSON.stringify(id)} is not among the secrets of the file`, {
      hint: `Write secrets: { ${id}: { file: PATH } } at the top of the file`,
    });
  if (secret.external === true) throw new TbuildError('BAKE_FILE', `unsupported external secret ${id}`);
  const [file, variable] = [textOf(secret.file), textOf(secret.environment)];
  if (file === undefined && variable === undefined)
    throw new TbuildError('BAKE_FILE', `The secret ${JSON.stringify(id)} has neither a file nor an environment`);
  return { id, ...(file === undefined ? {} : { src: file }), ...(variable === undefined ? {} : { env: variable }) };
}

function sshOf(value: unknown, scope: BuildScope): Entry[] | undefined {
  const texts = isMapping(value)
    ? Object.entries(value).map(([id, path]) => (path === null ? id : `${id}=${String(path)}`))
    : textsOf(value, scope);
  return texts?.map((text) => scope.within(text, () => parseEntry('ssh', text)));
}

function ulimitsOf(value: unknown, { within }: BuildScope): string[] | undefined {
  const all = mapOf(value, (limit) => {
    const { soft, hard } = isMapping(limit) ? limit : { soft: limit, hard: limit };
    return `${String(soft)}:${String(hard)}`;
  });
  const texts = Object.entries(all ?? {}).map(([name, limits]) =>
    within(name, () => {
      const [soft = NaN, hard = NaN] = limits.split(':').map(Number);
      if (Number.isInteger(soft) && Number.isInteger(hard) && (hard === -1 || soft <= hard)) return `${name}=${limits}`;
      throw new TbuildError('BAKE_FILE', `Invalid limit ${JSON.stringify(limits)} of ${name}: expected SOFT <= HARD`);
    }),
  );
  return texts.toSorted();
}

function boolOf(value: unknown): boolean | undefined {
  if (typeof value === 'boolean' || value === undefined || value === null) return value ?? undefined;
  return parseBool(String(value), 'a switch');
}

/** A switch that is off is the same as none. */
function onlyTrue(value: unknown): true | undefined {
  return boolOf(value) === true ? true : undefined;
}

function attestOf(type: string): BuildKey['read'] {
  return (value) => {
    const text = textOf(value);
    if (text === undefined) return undefined;
    if (text === 'true') return [{ type }];
    return [parseEntry('attest', `type=${type},${text === 'false' ? 'disabled=true' : text}`)];
  };
}

/** Adds attributes to those of a target: lists grow, a context that is there stays. */
export function extend(before: TargetAttributes, added: TargetAttributes): TargetAttributes {
  const joined: Record<string, unknown> = { ...before };
  for (const [name, value] of Object.entries(added) as [AttributeName, TargetAttributes[AttributeName]][]) {
    const own = before[name];
    if (Array.isArray(own) && Array.isArray(value)) joined[name] = distinct([...own, ...value]);
    else if (isMapping(own) && isMapping(value)) joined[name] = { ...value, ...own };
    else joined[name] = value;
  }
  return joined;
}

/** Leaves out what is there twice. Of several entries with one id, the last counts. */
function distinct(items: readonly (string | Entry)[]): unknown[] {
  const keyOf = (item: string | Entry): unknown =>
    typeof item === 'string' ? item : (item.id ?? JSON.stringify(Object.entries(item).toSorted()));
  return [...new Map(items.map((item) => [keyOf(item), item])).values()];
}
