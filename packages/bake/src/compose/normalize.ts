import { posix } from 'node:path';
import { isRemote } from '../definition/resolve.ts';
import { errorAt, type Place } from '../source.ts';
import { findPlace } from './find-place.ts';
import type { Lookup } from './interpolate.ts';
import { isMapping, type Mapping, type ParsedCompose } from './parse-compose.ts';

interface Beside {
  /** What the relative paths of the file are relative to. */
  readonly directory: string;
  readonly lookup: Lookup;
}

/** Finds the value that a path leads to. */
type PlaceOf = (...path: string[]) => Place;

/**
 * Gives the sections of a file their long forms, so that they can be joined to those of others, and its paths from the
 * working directory.
 * @throws TbuildError BAKE_FILE, with the place
 */
export function normalize(parsed: ParsedCompose, beside: Beside): ParsedCompose {
  const { data } = parsed;
  const placeOf: PlaceOf = (...path) => findPlace(parsed, path).value;
  const services = Object.entries(requireMapping(data.services, 'services', placeOf('services')));
  const secrets = Object.entries(requireMapping(data.secrets, 'secrets', placeOf('secrets')));
  return {
    ...parsed,
    data: {
      ...data,
      services: Object.fromEntries(
        services.map(([name, service]) => {
          const placeIn: PlaceOf = (...path) => placeOf('services', name, ...path);
          return [name, normalService(requireMapping(service, `service ${name}`, placeIn()), placeIn, beside)];
        }),
      ),
      secrets: Object.fromEntries(
        secrets.map(([name, secret]) => {
          const one = requireMapping(secret, `secret ${name}`, placeOf('secrets', name));
          return [name, typeof one.file === 'string' ? { ...one, file: pathFrom(one.file, beside) } : one];
        }),
      ),
    },
  };
}

/** Returns a mapping, an empty one for nothing. @throws TbuildError BAKE_FILE */
export function requireMapping(value: unknown, what: string, place: Place): Mapping {
  if (value === undefined || value === null) return {};
  if (isMapping(value)) return value;
  throw errorAt(place, `Invalid compose file: ${what} has to be a mapping`);
}

function normalService(service: Mapping, placeOf: PlaceOf, beside: Beside): Mapping {
  const { build, environment, env_file: files, extends: base } = service;
  return {
    ...service,
    ...(isMapping(base) && typeof base.file === 'string'
      ? { extends: { ...base, file: pathFrom(base.file, beside) } }
      : {}),
    ...(environment === undefined ? {} : { environment: pairsOf(environment, placeOf('environment')) }),
    ...(files === undefined ? {} : { env_file: envFiles(files, beside) }),
    ...(build === undefined || build === null
      ? {}
      : { build: normalBuild(build, (...path) => placeOf('build', ...path), beside) }),
  };
}

function normalBuild(build: unknown, placeOf: PlaceOf, beside: Beside): Mapping {
  const long = typeof build === 'string' ? { context: build } : requireMapping(build, 'build', placeOf());
  const maps = ['args', 'labels', 'additional_contexts'] as const;
  const changed = maps.flatMap((name) => {
    const value: unknown = long[name];
    return value === undefined ? [] : [[name, pairsOf(value, placeOf(name))] as const];
  });
  const { context, additional_contexts: contexts, ...others }: Mapping = { ...long, ...Object.fromEntries(changed) };
  const moved = Object.entries(isMapping(contexts) ? contexts : {}).map(([name, path]) => [
    name,
    contextFrom(path, beside),
  ]);
  return {
    ...others,
    ...(context === undefined && beside.directory === '.' ? {} : { context: contextFrom(context ?? '.', beside) }),
    ...(moved.length === 0 ? {} : { additional_contexts: Object.fromEntries(moved) }),
    ...(others.extra_hosts === undefined ? {} : { extra_hosts: hostsOf(others.extra_hosts, placeOf('extra_hosts')) }),
  };
}

/** Turns a list of NAME=VALUE into a mapping. A name alone has no value. */
function pairsOf(value: unknown, place: Place): Mapping {
  if (!Array.isArray(value)) return requireMapping(value, 'a list of names and values', place);
  return Object.fromEntries(
    value.map((item) => {
      const text = String(item);
      const at = text.indexOf('=');
      return at < 0 ? [text, null] : [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}

/** A host may have several addresses, and those of IPv6 brackets. */
function hostsOf(value: unknown, place: Place): Mapping {
  const pairs: [string, unknown][] = Array.isArray(value)
    ? value.map((item) => {
        const [, name = '', address = ''] = /^([^=:]*)[=:](.*)$/s.exec(String(item)) ?? [];
        if (name === '') throw errorAt(place, `Invalid host ${JSON.stringify(item)}: expected NAME=ADDRESS`);
        return [name, address];
      })
    : Object.entries(requireMapping(value, 'extra_hosts', place));
  const hosts = new Map<string, string[]>();
  for (const [name, addresses] of pairs) {
    const all = (Array.isArray(addresses) ? addresses : [addresses]).map((one) =>
      String(one).replace(/^\[(.*)\]$/, '$1'),
    );
    hosts.set(name, [...(hosts.get(name) ?? []), ...all]);
  }
  return Object.fromEntries(hosts);
}

function envFiles(value: unknown, beside: Beside): readonly Mapping[] {
  const entries: unknown[] = Array.isArray(value) ? value : [value];
  return entries.map((entry) => {
    const long: Mapping = isMapping(entry) ? entry : { path: entry };
    return { ...long, path: pathFrom(String(long.path), beside) };
  });
}

function contextFrom(value: unknown, beside: Beside): unknown {
  return typeof value !== 'string' || value.startsWith('service:') || isRemote(value) ? value : pathFrom(value, beside);
}

/** Returns a path of a file from the working directory. */
function pathFrom(path: string, { directory, lookup }: Beside): string {
  const full = path.replace(/^~(?=\/|$)/, () => lookup('HOME') ?? '~');
  const from = full.startsWith('/') ? posix.normalize(full) : posix.join(directory, full);
  return from.replace(/(?<=.)\/$/, '');
}
