import { posix } from 'node:path';
import { suggest, TbuildError, type SourceRange } from '@tbuild/errors';
import { rangeOf } from '../source.ts';
import { merge, normalize } from './merge.ts';
import { applyOverrides, type Overrides } from './overrides.ts';
import { patternOf } from './pattern.ts';
import { linksOf, type Definitions, type Group, type TargetAttributes, type TargetBlock } from './target.ts';

/** The targets to build, and the groups that name them. */
export interface Resolved {
  readonly groups: ReadonlyMap<string, Omit<Group, 'name'>>;
  readonly targets: ReadonlyMap<string, TargetAttributes>;
  /** Where each target is defined. */
  readonly places: ReadonlyMap<string, SourceRange>;
  /** Those that nobody asked for: they are only contexts of others. */
  readonly links: ReadonlySet<string>;
}

export interface ResolveOptions {
  /** Names of targets and groups, and patterns of them. */
  readonly names: readonly string[];
  readonly overrides: Overrides;
  /** `SOURCE_DATE_EPOCH` of the environment, which every target gets. */
  readonly epoch?: string;
  /** The URL that the files come from: paths of contexts are relative to it, except those of `cwd://`. */
  readonly remote?: string;
}

/** Joins blocks of one name, in order. */
export function joinBlocks({ targets, groups }: Definitions): Definitions {
  const joinedTargets = new Map<string, TargetBlock>();
  for (const target of targets) {
    const before = joinedTargets.get(target.name);
    joinedTargets.set(target.name, before === undefined ? target : joinTargets(before, target));
  }
  const joinedGroups = new Map(groups.map((group) => [group.name, group]));
  return { targets: [...joinedTargets.values()], groups: [...joinedGroups.values()] };
}

function joinTargets(before: TargetBlock, after: TargetBlock): TargetBlock {
  return {
    ...after,
    inherits: [...before.inherits, ...after.inherits],
    attributes: merge(before.attributes, after.attributes),
    mentions: new Map([...before.mentions, ...after.mentions]),
  };
}

/**
 * Resolves names to targets with everything that they inherit, and the targets that are contexts of these.
 * @throws TbuildError BAKE_FILE
 */
export function resolve(
  definitions: Definitions,
  { names: given, overrides, epoch, remote }: ResolveOptions,
): Resolved {
  const names = [...new Set(given.flatMap((name) => matchingNames(name, definitions)))];
  const targets = new Map<string, TargetAttributes>();
  const groups = new Map<string, Omit<Group, 'name'>>();
  const visits = new Map<string, Visit>();
  for (const name of names) {
    const found = visit(name, definitions, visits);
    for (const target of new Set(found.targets))
      targets.set(target, resolveTarget(target, { definitions, overrides, remote }));
    for (const group of found.groups) groups.set(group, withoutName(group, definitions));
  }
  const more = names.filter((name) => name !== 'default' || !groups.has('default'));
  const standard = groups.get('default');
  const all = new Set([...(standard?.targets ?? []), ...more]);
  groups.set('default', { ...standard, targets: [...all].toSorted() });
  const asked = new Set(targets.keys());
  // Docker links in the order of its map; every order gives the same targets.
  const linked = new Set<string>();
  for (const name of asked) link(name, targets, { definitions, overrides, remote, visited: [], linked });
  if (epoch !== undefined && epoch !== '')
    for (const [name, target] of targets) targets.set(name, withEpoch(target, epoch));
  const places = new Map(definitions.targets.map(({ name, place }) => [name, rangeOf(place)]));
  return { groups, targets, places, links: new Set([...targets.keys()].filter((name) => !asked.has(name))) };
}

/** Returns the groups and targets that a pattern matches, and a name as it is. */
function matchingNames(pattern: string, { groups, targets }: Definitions): readonly string[] {
  if (!/[*?[\]]/.test(pattern)) return [pattern];
  const expression = patternOf(pattern);
  const names = [...groups, ...targets].map(({ name }) => name).filter((name) => expression.test(name));
  if (names.length > 0) return names;
  throw new TbuildError('BAKE_FILE', `could not find any target matching ${JSON.stringify(pattern)}`, {
    hint: 'List the targets with --list targets',
  });
}

interface Visit {
  readonly targets: readonly string[];
  readonly groups: readonly string[];
}

const NOTHING: Visit = { targets: [], groups: [] };

/** A group within itself stands for a target of that name. */
function visit(name: string, definitions: Definitions, visits: Map<string, Visit>): Visit {
  const before = visits.get(name);
  if (before !== undefined) return before;
  const group = definitions.groups.find((one) => one.name === name);
  if (group === undefined) return { targets: [name], groups: [] };
  visits.set(name, NOTHING);
  const inner = group.targets.map((target) => ({ target, ...visit(target, definitions, visits) }));
  const found = {
    targets: inner.flatMap(({ target, targets }) => (targets.length > 0 ? targets : [target])),
    groups: [name, ...inner.flatMap(({ groups }) => groups)],
  };
  visits.set(name, found);
  return found;
}

function withoutName(name: string, { groups }: Definitions): Omit<Group, 'name'> {
  const { name: _, mentions: _places, ...group } = groups.find((one) => one.name === name) ?? { name, targets: [] };
  return group;
}

interface Inheriting extends Pick<ResolveOptions, 'overrides' | 'remote'> {
  readonly definitions: Definitions;
}

function resolveTarget(name: string, inheriting: Inheriting): TargetAttributes {
  const resolved = inherit(name, inheriting, new Map());
  const { context = '.', dockerfile = '' } = resolved;
  const { remote } = inheriting;
  const contexts = Object.entries(resolved.contexts ?? {});
  return {
    ...resolved,
    context: remote === undefined ? cleanContext(context) : within(remote, context),
    dockerfile: dockerfile === '' ? 'Dockerfile' : dockerfile,
    ...(remote === undefined || contexts.length === 0
      ? {}
      : { contexts: Object.fromEntries(contexts.map(([name, path]) => [name, path && within(remote, path)])) }),
  };
}

/** Returns the location of a context of files that come from a URL. */
function within(remote: string, context: string): string {
  if (context.startsWith('cwd://') || isRemote(context)) return cleanContext(context);
  const path = posix.normalize(context).replace(/(?<=.)\/$/, '');
  if (path === '.') return remote;
  if (path.startsWith('..') || path.startsWith('/'))
    throw new TbuildError(
      'BAKE_FILE',
      `The context ${JSON.stringify(context)} is outside of the bake file's repository`,
    );
  const [url = '', fragment = ''] = remote.split('#');
  const [ref = '', directory = ''] = fragment.split(':');
  return `${url}#${ref}:${posix.join(directory, path)}`;
}

/** A target within its own parents counts as nothing there, as in Docker. */
function inherit(
  name: string,
  inheriting: Inheriting,
  visited: Map<string, TargetAttributes | undefined>,
): TargetAttributes {
  if (visited.has(name)) return visited.get(name) ?? {};
  visited.set(name, undefined);
  const { definitions, overrides } = inheriting;
  const target = definitions.targets.find((one) => one.name === name);
  if (target === undefined) throw unknownTarget(name, definitions);
  const parents = target.inherits.map((parent) => inherit(parent, inheriting, visited));
  const joined = [...parents, target.attributes].reduce(merge, {});
  const overridden = applyOverrides(normalize(joined), overrides.get(name) ?? []);
  const resolved = { ...overridden, ...withoutDuplicateTexts(overridden) };
  visited.set(name, resolved);
  return resolved;
}

/** Overrides may have added some again, or nothing: `--set '*.tags='`. */
function withoutDuplicateTexts({ tags, platforms, entitlements }: TargetAttributes): TargetAttributes {
  const distinct = (texts: readonly string[]) => [...new Set(texts)].filter((text) => text !== '');
  return {
    ...(tags === undefined ? {} : { tags: distinct(tags) }),
    ...(platforms === undefined ? {} : { platforms: distinct(platforms) }),
    ...(entitlements === undefined ? {} : { entitlements: distinct(entitlements) }),
  };
}

function unknownTarget(name: string, { targets, groups }: Definitions): TbuildError {
  const names = [...targets, ...groups].map((one) => one.name);
  const near = suggest(name, names);
  const known = names.filter((one) => !one.startsWith('_')).slice(0, 20);
  const listed =
    known.length === 0
      ? 'The files define no target'
      : `The files define ${known.map((one) => JSON.stringify(one)).join(', ')}`;
  const place = [...groups, ...targets].findLast((one) => one.mentions?.has(name))?.mentions?.get(name);
  return new TbuildError('BAKE_FILE', `failed to find target ${name}`, {
    location: place && rangeOf(place),
    hint: near === undefined || near === name ? listed : `Did you mean ${JSON.stringify(near)}?`,
  });
}

/** Returns a path in its shortest form, and the location of a remote context as it is. */
function cleanContext(context: string): string {
  if (context.startsWith('cwd://'))
    return posix.normalize(context.slice('cwd://'.length) || '.').replace(/(?<=.)\/$/, '');
  return isRemote(context) ? context : posix.normalize(context).replace(/(?<=.)\/$/, '');
}

/** Whether a context is on a server or in another form than a path. */
export const isRemote = (context: string): boolean =>
  /^([a-z][a-z\d+.-]*:\/\/|git@|github\.com\/|(?:target|docker-daemon|containers-storage):|-$)/.test(context);

interface Linking extends Inheriting {
  readonly visited: readonly string[];
  /** The targets that need no second look: many paths may lead to one. */
  readonly linked: Set<string>;
}

/** Resolves the targets that are contexts of a target. Nothing is exported of one that nobody asked for. */
function link(name: string, targets: Map<string, TargetAttributes>, { visited, linked, ...inheriting }: Linking): void {
  if (linked.has(name)) return;
  for (const other of linksOf(targets.get(name) ?? {})) {
    if (other === name) throw new TbuildError('BAKE_FILE', `target ${name} cannot link to itself`);
    if (visited.includes(other)) throw new TbuildError('BAKE_FILE', `infinite loop from ${name} to ${other}`);
    if (!targets.has(other))
      targets.set(other, { ...resolveTarget(other, inheriting), output: [{ type: 'cacheonly' }] });
    link(other, targets, { ...inheriting, visited: [...visited, name], linked });
    const [target = {}, source = {}] = [targets.get(name), targets.get(other)];
    requirePlatforms({ name, target }, { name: other, target: source });
    const entitlements = [...new Set([...(target.entitlements ?? []), ...(source.entitlements ?? [])])];
    if (entitlements.length > 0) targets.set(name, { ...target, entitlements });
  }
  linked.add(name);
}

interface NamedTarget {
  readonly name: string;
  readonly target: TargetAttributes;
}

function requirePlatforms({ name, target }: NamedTarget, source: NamedTarget): void {
  const [wanted = [], given = []] = [target.platforms, source.target.platforms];
  if (wanted.length <= 1 || given.length <= 1) return;
  const missing = wanted.filter((platform) => !given.includes(platform));
  if (missing.length === 0) return;
  throw new TbuildError(
    'BAKE_FILE',
    `target ${source.name} can't be used by ${name} because its platforms ${JSON.stringify(given)} lack ${missing.join(', ')}`,
    { hint: `Add ${missing.join(', ')} to the platforms of ${JSON.stringify(source.name)}` },
  );
}

function withEpoch(target: TargetAttributes, epoch: string): TargetAttributes {
  return { ...target, args: { SOURCE_DATE_EPOCH: epoch, ...target.args } };
}
