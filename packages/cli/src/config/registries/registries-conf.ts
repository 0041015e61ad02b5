import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errnoName } from '@tbuild/errors';
import type { TomlTable, TomlValue } from 'smol-toml';
import type { Environment } from '../environment.ts';
import { readToml } from './read-toml.ts';

/** A rule of `registries.conf` for the images below a prefix ("containers-registries.conf(5)"). */
export interface RegistryRule {
  /** `host[:port][/path]`, or `*.domain`. */
  readonly prefix: string;
  /** The location that replaces the prefix on the network. */
  readonly location: string;
  readonly insecure: boolean;
  readonly blocked: boolean;
  readonly mirrors: readonly MirrorRule[];
  /** The file, for messages. */
  readonly file: string;
}

export interface MirrorRule {
  readonly location: string;
  readonly insecure: boolean;
  readonly use: 'all' | 'digest-only' | 'tag-only';
}

/**
 * Returns the rules of podman's and Buildah's configuration: the user's file, else the machine's, and the additions in
 * the directories beside them. Short names are not looked up: here they belong to Docker Hub.
 * @throws TbuildError USAGE when a file is not valid.
 */
export function readRegistriesConf({ variables }: Environment): readonly RegistryRule[] {
  const own = variables.HOME === undefined ? [] : [join(variables.HOME, '.config/containers')];
  const places = [...own, '/etc/containers'];
  const named = variables.CONTAINERS_REGISTRIES_CONF;
  const mains = named ? [named] : places.map((place) => join(place, 'registries.conf'));
  const main = mains.find((file) => readText(file) !== undefined);
  const added = places.toReversed().flatMap((place) => filesIn(join(place, 'registries.conf.d')));
  const rules = new Map<string, RegistryRule>();
  for (const file of [...(main === undefined ? [] : [main]), ...(named ? [] : added)])
    for (const rule of parseRegistriesConf(readText(file) ?? '', file)) rules.set(rule.prefix, rule);
  return [...rules.values()];
}

/**
 * Parses a `registries.conf`.
 * @throws TbuildError USAGE when the text is not valid.
 */
export function parseRegistriesConf(text: string, file: string): readonly RegistryRule[] {
  return tablesOf(readToml(text, file).registry).flatMap((table) => {
    const location = textOf(table.location);
    const prefix = textOf(table.prefix) || location;
    if (prefix === '') return [];
    const onlyDigests = table['mirror-by-digest-only'] === true;
    const mirrors = tablesOf(table.mirror).map((mirror) => parseMirror(mirror, onlyDigests));
    const [insecure, blocked] = [table.insecure === true, table.blocked === true];
    return [{ prefix, location: location || prefix, insecure, blocked, mirrors, file }];
  });
}

function parseMirror(mirror: TomlTable, onlyDigests: boolean): MirrorRule {
  const use = textOf(mirror['pull-from-mirror']);
  const own = use === 'digest-only' || use === 'tag-only' ? use : 'all';
  return {
    location: textOf(mirror.location),
    insecure: mirror.insecure === true,
    use: onlyDigests ? 'digest-only' : own,
  };
}

function tablesOf(value: TomlValue | undefined): readonly TomlTable[] {
  return Array.isArray(value) ? value.filter(isTable) : [];
}

function isTable(value: TomlValue): value is TomlTable {
  return typeof value === 'object' && !Array.isArray(value) && !(value instanceof Date);
}

function textOf(value: TomlValue | undefined): string {
  return typeof value === 'string' ? value.replace(/\/+$/, '') : '';
}

function filesIn(directory: string): readonly string[] {
  try {
    const names = readdirSync(directory).filter((name) => name.endsWith('.conf'));
    return names.sort().map((name) => join(directory, name));
  } catch (error) {
    if (isAbsent(error)) return [];
    throw error;
  }
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

function isAbsent(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR', 'EACCES'].includes(errnoName(error) ?? '');
}
