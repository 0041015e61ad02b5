import { posix } from 'node:path';
import { errorAt, type BakeFile, type Place } from '../source.ts';
import { findPlace, type FoundPlace, type Path } from './find-place.ts';
import type { Lookup } from './interpolate.ts';
import { normalize, requireMapping } from './normalize.ts';
import { isMapping, parseCompose, type Mapping, type ParsedCompose } from './parse-compose.ts';
import { parseDotEnv } from './parse-dot-env.ts';

/** The services of compose files, joined, and the secrets that they name. */
export interface ComposeProject {
  readonly services: ReadonlyMap<string, ComposeService>;
  readonly secrets: Mapping;
}

export interface ComposeService {
  readonly definition: Mapping;
  /** Finds a value of the service in the file that it comes from. */
  find(path: Path): FoundPlace;
}

export interface ComposeOptions {
  readonly lookup: Lookup;
  /** Reads another file that `extends`, `include` or `env_file` names, or returns undefined. */
  readFile(path: string): BakeFile | undefined;
}

/** A file whose relative paths are beside it, with the values of its variables. */
interface Surroundings extends ComposeOptions {
  readonly directory: string;
}

/** How deep files may include each other, and services extend each other. */
const DEEPEST = 16;

/** Reads compose files, each of which adds to those before it. @throws TbuildError BAKE_FILE, with the place */
export function readProject(files: readonly BakeFile[], options: ComposeOptions): ComposeProject {
  const around = { ...options, directory: '.' };
  const documents = files.flatMap((file) => withIncluded(file, around, 0));
  const merged = documents.reduce<Mapping>(
    (before, { data, replaced }) => mergeValues(without(before, replaced), data) as Mapping,
    {},
  );
  const services = sectionOf(merged, 'services');
  const model: Model = { services, documents: documents.toReversed(), around };
  return {
    services: new Map(Object.keys(services).map((name) => [name, openService(name, model)])),
    secrets: sectionOf(merged, 'secrets'),
  };
}

function withIncluded(file: BakeFile, around: Surroundings, depth: number): ParsedCompose[] {
  const parsed = normalize(parseCompose(file, around.lookup), around);
  const included = listOf(parsed.data.include).flatMap((entry) => {
    const { path, project_directory: project, env_file: env } = isMapping(entry) ? entry : { path: entry };
    const paths = listOf(path).map((one) => posix.join(around.directory, String(one)));
    const directory =
      project === undefined ? posix.dirname(paths[0] ?? '.') : posix.join(around.directory, String(project));
    const own = { ...around, directory, lookup: lookupIn(listOf(env ?? `${directory}/.env`), around) };
    return paths.flatMap((name) => {
      const { value: place } = findPlace(parsed, ['include', posix.relative(around.directory, name)]);
      if (depth > DEEPEST) throw errorAt(place, `Compose files include each other more than ${DEEPEST} levels deep`);
      return withIncluded(requireFile(name, around, place), own, depth + 1);
    });
  });
  return [...included, parsed];
}

/** The values of the files of an `include` count where nothing else gives one. */
function lookupIn(files: readonly unknown[], { lookup, readFile }: ComposeOptions): Lookup {
  const found = files.flatMap((file) => readFile(String(file)) ?? []);
  const values = found.map((file) => parseDotEnv(file, lookup)).toReversed();
  return (name) => lookup(name) ?? values.find((one) => one.has(name))?.get(name);
}

function requireFile(name: string, { readFile }: ComposeOptions, place: Place): BakeFile {
  const file = readFile(name);
  if (file !== undefined) return file;
  throw errorAt(place, `The compose file ${JSON.stringify(name)} does not exist`);
}

export const listOf = (value: unknown): readonly unknown[] =>
  Array.isArray(value) ? value : value === undefined || value === null ? [] : [value];

/** Returns a section that is a mapping already. */
function sectionOf(data: Mapping, name: string): Mapping {
  const section = data[name];
  return isMapping(section) ? section : {};
}

/** Leaves out the values at some places. */
function without(data: Mapping, places: readonly Path[]): Mapping {
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
      [...names].map((name) => [
        name,
        Object.hasOwn(after, name) ? mergeValues(before[name], after[name]) : before[name],
      ]),
    );
  }
  if (!Array.isArray(before) || !Array.isArray(after)) return after === undefined ? before : after;
  const seen = new Map([...before, ...after].map((item: unknown) => [JSON.stringify(item), item]));
  return [...seen.values()];
}

/** Services by name, and the files that they come from: the last one first. */
interface Model {
  readonly services: Mapping;
  readonly documents: readonly ParsedCompose[];
  readonly around: Surroundings;
}

function openService(name: string, model: Model): ComposeService {
  const { definition, origins } = extended(name, model, 0);
  return { definition, find: (path) => findIn(origins, path) };
}

/** A file that gives a service some of its values, and the name that the service has there. */
interface Origin {
  readonly parsed: ParsedCompose;
  readonly name: string;
}

/** The first file that has a value is the one that it comes from. */
function findIn(origins: readonly Origin[], path: Path): FoundPlace {
  const found = origins.map(({ parsed, name }) => findPlace(parsed, ['services', name, ...path]));
  return found.reduce((best, one) => (one.depth > best.depth ? one : best));
}

interface Extended {
  readonly definition: Mapping;
  readonly origins: readonly Origin[];
}

function extended(name: string, model: Model, depth: number): Extended {
  const { extends: given, ...own } = sectionOf(model.services, name);
  const origins = model.documents.map((parsed): Origin => ({ parsed, name }));
  if (given === undefined || given === null) return { definition: own, origins };
  const place = findIn(origins, ['extends']).value;
  if (depth > DEEPEST) throw errorAt(place, `The service ${JSON.stringify(name)} extends itself`);
  const { file, service = name } =
    typeof given === 'string' ? { service: given } : requireMapping(given, 'extends', place);
  const base = file === undefined ? model : otherModel(String(file), model.around, place);
  const wanted = String(service);
  if (!isMapping(base.services[wanted]))
    throw errorAt(place, `The service ${JSON.stringify(name)} extends ${JSON.stringify(wanted)}, which does not exist`);
  const parent = extended(wanted, base, depth + 1);
  return {
    definition: mergeValues(parent.definition, own) as Mapping,
    origins: [...origins, ...parent.origins],
  };
}

function otherModel(file: string, around: Surroundings, place: Place): Model {
  const beside = { ...around, directory: posix.dirname(file) };
  const parsed = normalize(parseCompose(requireFile(file, around, place), around.lookup), beside);
  return { services: sectionOf(parsed.data, 'services'), documents: [parsed], around: beside };
}
