import { TbuildError } from '@tbuild/errors';
import { parseEntry, type EntryAttribute } from '../definition/entries.ts';
import {
  TARGET_NAME,
  type Definitions,
  type Entry,
  type TargetAttributes,
  type TargetBlock,
} from '../definition/target.ts';
import type { BakeFile } from '../source.ts';
import { isMapping, type Mapping } from './parse-compose.ts';
import { readProject, type ComposeOptions, type ComposeProject } from './services.ts';
import { formatSize, parseSize } from './sizes.ts';

export { parseDotEnv } from './parse-dot-env.ts';

/**
 * Reads the targets of compose files: each service with a `build` section is one, and `default` builds all.
 * @throws TbuildError BAKE_FILE
 */
export function readCompose(files: readonly BakeFile[], options: ComposeOptions): Definitions {
  const project = readProject(files, options);
  const names = [...project.services].flatMap(([name, { build }]) => (isMapping(build) ? [name] : []));
  const targets = names.toSorted().map((name) => readService(name, project, options));
  return { targets, groups: [{ name: 'default', targets: targets.map(({ name }) => name) }] };
}

/** Replaces what the name of a target cannot have. */
const targetName = (service: string): string => service.replaceAll('.', '_');

function readService(service: string, project: ComposeProject, options: ComposeOptions): TargetBlock {
  const name = targetName(service);
  if (!TARGET_NAME.test(name))
    throw new TbuildError('BAKE_FILE', `The service ${JSON.stringify(service)} has a name that no target can have`);
  const definition = project.services.get(service) ?? {};
  const build = isMapping(definition.build) ? definition.build : {};
  const environment = isMapping(definition.environment) ? definition.environment : {};
  const lookup = (variable: string): string | undefined => textOf(environment[variable]) ?? options.lookup(variable);
  const tags = textsOf(build.tags);
  const image = textOf(definition.image);
  const attributes: Record<string, unknown> = {
    context: textOf(build.context),
    contexts: mapOf(build.additional_contexts, (value) =>
      value.replace(/^service:(.*)$/, (_, other: string) => `target:${targetName(other)}`),
    ),
    dockerfile: textOf(build.dockerfile),
    'dockerfile-inline': textOf(build.dockerfile_inline),
    args: argsOf(build.args, lookup),
    labels: mapOf(build.labels),
    tags: tags ?? (image === undefined ? undefined : [image]),
    'cache-from': entriesOf('cache-from', build.cache_from),
    'cache-to': entriesOf('cache-to', build.cache_to),
    target: textOf(build.target),
    secret: secretsOf(build.secrets, project.secrets),
    ssh: sshOf(build.ssh),
    platforms: textsOf(build.platforms),
    pull: build.pull === true ? true : undefined,
    'no-cache': build.no_cache === true ? true : undefined,
    network: textOf(build.network),
    'shm-size': build.shm_size === undefined ? undefined : formatSize(parseSize(String(build.shm_size))),
    ulimits: ulimitsOf(build.ulimits),
    'extra-hosts': mapOf(build.extra_hosts),
    entitlements: textsOf(build.entitlements) ?? (build.privileged === true ? ['security.insecure'] : undefined),
    attest: attestsOf(build),
  };
  const set = Object.entries(attributes).filter(([, value]) => value !== undefined);
  return { name, inherits: [], attributes: { ...Object.fromEntries(set), ...extension(build['x-bake']) } };
}

function textOf(value: unknown): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value === 'object')
    throw new TbuildError('BAKE_FILE', `Invalid compose file: expected a text, found ${JSON.stringify(value)}`);
  return String(value);
}

function textsOf(value: unknown): string[] | undefined {
  if (value === undefined || value === null) return undefined;
  const items: unknown[] = Array.isArray(value) ? value : [value];
  const texts = items.flatMap((item) => textOf(item) ?? []);
  return texts.length === 0 ? undefined : texts;
}

function mapOf(value: unknown, change = (text: string): string => text): Record<string, string> | undefined {
  if (!isMapping(value)) return undefined;
  const pairs = Object.entries(value).map(([name, item]): [string, string] => [
    name,
    change(item === null ? '' : valueText(item)),
  ]);
  return pairs.length === 0 ? undefined : Object.fromEntries(pairs);
}

function valueText(value: unknown): string {
  return Array.isArray(value)
    ? value.map(String).join(',')
    : typeof value === 'object'
      ? JSON.stringify(value)
      : String(value);
}

/** An argument without a value gets that of the service's environment, or of the surroundings. */
function argsOf(value: unknown, lookup: (name: string) => string | undefined): Record<string, string> | undefined {
  if (!isMapping(value)) return undefined;
  const pairs = Object.entries(value).flatMap(([name, item]): [string, string][] => {
    const text = item === null || item === undefined ? lookup(name) : valueText(item);
    return text === undefined ? [] : [[name, text]];
  });
  return pairs.length === 0 ? undefined : Object.fromEntries(pairs);
}

function entriesOf(attribute: EntryAttribute, value: unknown): Entry[] | undefined {
  return textsOf(value)?.map((text) => parseEntry(attribute, text));
}

function secretsOf(value: unknown, secrets: Mapping): Entry[] | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  return value.map((item: unknown) => {
    const source = isMapping(item) ? item.source : item;
    const id = isMapping(item) && typeof item.target === 'string' ? item.target : String(source);
    const secret = secrets[String(source)];
    if (!isMapping(secret))
      throw new TbuildError('BAKE_FILE', `The secret ${JSON.stringify(source)} is not among the secrets of the file`);
    if (secret.external === true) throw new TbuildError('BAKE_FILE', `unsupported external secret ${String(source)}`);
    const [file, variable] = [textOf(secret.file), textOf(secret.environment)];
    return { id, ...(file === undefined ? {} : { src: file }), ...(variable === undefined ? {} : { env: variable }) };
  });
}

function sshOf(value: unknown): Entry[] | undefined {
  const texts = isMapping(value)
    ? Object.entries(value).map(([id, path]) => (path === null ? id : `${id}=${String(path)}`))
    : textsOf(value);
  const entries = texts?.map((text) => parseEntry('ssh', text));
  return entries?.toSorted((a, b) => (String(a.id) < String(b.id) ? -1 : 1));
}

function ulimitsOf(value: unknown): string[] | undefined {
  if (!isMapping(value)) return undefined;
  return Object.entries(value)
    .map(([name, limit]) => {
      const { soft, hard } = isMapping(limit) ? limit : { soft: limit, hard: limit };
      return `${name}=${String(soft)}:${String(hard)}`;
    })
    .toSorted();
}

function attestsOf({ provenance, sbom }: Mapping): Entry[] | undefined {
  const entries = [attestOf('provenance', provenance), attestOf('sbom', sbom)].filter((entry) => entry !== undefined);
  return entries.length === 0 ? undefined : entries;
}

function attestOf(type: string, value: unknown): Entry | undefined {
  if (value === undefined || value === null) return undefined;
  const text = String(value);
  if (text === 'true') return { type };
  return parseEntry('attest', text === 'false' ? `type=${type},disabled=true` : `type=${type},${text}`);
}

/** `x-bake` sets attributes that a build section lacks. */
function extension(value: unknown): TargetAttributes {
  if (!isMapping(value)) return {};
  const contexts = mapOf(value.contexts);
  const extended: Record<string, unknown> = {
    tags: textsOf(value.tags),
    'cache-from': entriesOf('cache-from', value['cache-from']),
    'cache-to': entriesOf('cache-to', value['cache-to']),
    secret: entriesOf('secret', value.secret),
    ssh: sshOf(value.ssh),
    platforms: textsOf(value.platforms),
    output: entriesOf('output', value.output),
    pull: typeof value.pull === 'boolean' ? value.pull : undefined,
    'no-cache': typeof value['no-cache'] === 'boolean' ? value['no-cache'] : undefined,
    'no-cache-filter': textsOf(value['no-cache-filter']),
    attest: entriesOf('attest', value.attest),
    contexts,
  };
  return Object.fromEntries(Object.entries(extended).filter(([, one]) => one !== undefined));
}
