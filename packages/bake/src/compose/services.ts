import { posix } from 'node:path';
import { TbuildError } from '@tbuild/errors';
import { isRemote } from '../definition/resolve.ts';
import type { BakeFile } from '../source.ts';
import type { Lookup } from './interpolate.ts';
import { isMapping, parseCompose, type Mapping, type ParsedCompose } from './parse-compose.ts';

/** The services of compose files, joined, and the secrets that they name. */
export interface ComposeProject {
  readonly services: ReadonlyMap<string, Mapping>;
  readonly secrets: Mapping;
}

export interface ComposeOptions {
  readonly lookup: Lookup;
  /** Reads another file that `extends` or `include` names, or returns undefined. */
  readFile(path: string): BakeFile | undefined;
}

const DEEPEST = 16;

/** Reads compose files, each of which adds to those before it. @throws TbuildError BAKE_FILE */
export function readProject(files: readonly BakeFile[], options: ComposeOptions): ComposeProject {
  const documents = files.flatMap((file) => withIncluded(file, options, 0));
  const merged = documents.reduce<Mapping>(
    (before, { data, replaced }) => mergeValues(without(before, replaced), data) as Mapping,
    {},
  );
  const services = new Map<string, Mapping>();
  for (const [name, service] of Object.entries(mappingOf(merged.services, 'services'))) {
    services.set(
      name,
      extended(mappingOf(service, `service ${name}`), {
        name,
        services: mappingOf(merged.services, 'services'),
        options,
        depth: 0,
      }),
    );
  }
  return { services, secrets: mappingOf(merged.secrets, 'secrets') };
}

function withIncluded(file: BakeFile, options: ComposeOptions, depth: number): ParsedCompose[] {
  if (depth > DEEPEST)
    throw new TbuildError('BAKE_FILE', `Compose files include each other more than ${DEEPEST} levels deep`);
  const parsed = parseCompose(file, options.lookup);
  const data = normalized(parsed.data);
  const included = listOf(data.include).flatMap((entry) => {
    const paths = isMapping(entry) ? listOf(entry.path) : [entry];
    return paths.flatMap((path) => {
      const name = posix.join(posix.dirname(file.name), String(path));
      const found = withIncluded(requireFile(name, options), options, depth + 1);
      return found.map((inner) => ({ ...inner, data: rebased(inner.data, posix.dirname(name)) }));
    });
  });
  return [...included, { ...parsed, data }];
}

function requireFile(name: string, { readFile }: ComposeOptions): BakeFile {
  const file = readFile(name);
  if (file !== undefined) return file;
  throw new TbuildError('BAKE_FILE', `The compose file ${JSON.stringify(name)} does not exist`);
}

const listOf = (value: unknown): readonly unknown[] =>
  Array.isArray(value) ? value : value === undefined || value === null ? [] : [value];

function mappingOf(value: unknown, what: string): Mapping {
  if (value === undefined || value === null) return {};
  if (isMapping(value)) return value;
  throw new TbuildError('BAKE_FILE', `Invalid compose file: ${what} has to be a mapping`);
}

/** Gives the sections of all services their long forms, so that they can be joined. */
function normalized(data: Mapping): Mapping {
  const services = Object.entries(mappingOf(data.services, 'services'));
  return {
    ...data,
    services: Object.fromEntries(
      services.map(([name, service]) => [name, normalService(mappingOf(service, `service ${name}`))]),
    ),
  };
}

function normalService(service: Mapping): Mapping {
  const { build, environment } = service;
  const plain = environment === undefined ? service : { ...service, environment: pairsOf(environment) };
  if (build === undefined || build === null) return plain;
  const long = typeof build === 'string' ? { context: build } : mappingOf(build, 'build');
  const maps = ['args', 'labels', 'additional_contexts', 'extra_hosts'] as const;
  const changed = maps.flatMap((name) =>
    long[name] === undefined ? [] : [[name, pairsOf(long[name], name === 'extra_hosts')] as const],
  );
  return { ...plain, build: { ...long, ...Object.fromEntries(changed) } };
}

/** Turns a list of NAME=VALUE into a mapping. A name alone has no value. */
function pairsOf(value: unknown, colons = false): Mapping {
  if (!Array.isArray(value)) return mappingOf(value, 'a list of names and values');
  return Object.fromEntries(
    value.map((item) => {
      const text = String(item);
      const at = colons && !text.includes('=') ? text.indexOf(':') : text.indexOf('=');
      return at < 0 ? [text, null] : [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}

/** Leaves out the values at some places. */
function without(data: Mapping, places: readonly (readonly string[])[]): Mapping {
  return places.reduce((before, [name = '', ...below]) => {
    const { [name]: value, ...others } = before;
    if (below.length === 0) return others;
    return isMapping(value) ? { ...before, [name]: without(value, [below]) } : before;
  }, data);
}

/** Joins mappings by name and appends lists, as compose does. */
function mergeValues(before: unknown, after: unknown): unknown {
  if (isMapping(before) && isMapping(after)) {
    const names = new Set([...Object.keys(before), ...Object.keys(after)]);
    return Object.fromEntries(
      [...names].map((name) => [name, name in after ? mergeValues(before[name], after[name]) : before[name]]),
    );
  }
  if (!Array.isArray(before) || !Array.isArray(after)) return after === undefined ? before : after;
  const seen = new Map([...before, ...after].map((item: unknown) => [JSON.stringify(item), item]));
  return [...seen.values()];
}

interface Extending {
  readonly name: string;
  readonly services: Mapping;
  readonly options: ComposeOptions;
  readonly depth: number;
}

function extended(service: Mapping, { name, services, options, depth }: Extending): Mapping {
  const { extends: given, ...own } = service;
  if (given === undefined || given === null) return service;
  if (depth > DEEPEST) throw new TbuildError('BAKE_FILE', `The service ${JSON.stringify(name)} extends itself`);
  const { file, service: base } =
    typeof given === 'string' ? { file: undefined, service: given } : mappingOf(given, 'extends');
  const wanted = String(base ?? name);
  const path = file === undefined ? undefined : String(file);
  const all =
    path === undefined
      ? services
      : rebased(normalized(parseCompose(requireFile(path, options), options.lookup).data), posix.dirname(path))
          .services;
  const found = mappingOf(all, 'services')[wanted];
  if (found === undefined)
    throw new TbuildError(
      'BAKE_FILE',
      `The service ${JSON.stringify(name)} extends ${JSON.stringify(wanted)}, which does not exist`,
    );
  const parent = extended(mappingOf(found, `service ${wanted}`), {
    name: wanted,
    services: mappingOf(all, 'services'),
    options,
    depth: depth + 1,
  });
  return mappingOf(mergeValues(parent, own), `service ${name}`);
}

/** Makes the paths of another file's services relative to the project. */
function rebased(data: Mapping, directory: string): Mapping {
  if (directory === '.') return data;
  const services = Object.entries(mappingOf(data.services, 'services')).map(([name, service]) => {
    const own = mappingOf(service, `service ${name}`);
    if (!isMapping(own.build)) return [name, own];
    const { context = '.' } = own.build;
    const moved = isRemote(String(context)) ? context : posix.join(directory, String(context));
    return [name, { ...own, build: { ...own.build, context: moved } }];
  });
  return { ...data, services: Object.fromEntries(services) };
}
