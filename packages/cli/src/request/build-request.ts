import { readFileSync, statSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import type { BuildRequest, ContextSpec } from '@tbuild/builder';
import { TbuildError } from '@tbuild/errors';
import { readLimitedFile } from '@tbuild/linux';
import { formatPlatform, formatReference, parsePlatform, parseReference, type Platform } from '@tbuild/oci';
import { storeLayout } from '@tbuild/store';
import type { FlagValues } from '../flags/args.ts';
import { parseAttestations } from './attestations.ts';
import { parseCacheFrom, parseCacheTo } from './cache-spec.ts';
import { type buildFlags, resourceFlags } from '../flags/build-flags.ts';
import { contextSource, isFetched } from './context-source.ts';
import { checkDeletion } from './deleting-output.ts';
import type { Environment } from '../config/environment.ts';
import { parseOutputs } from './outputs.ts';
import { byteSize, cgroupParent, entitlements, extraHosts, resources, ulimits } from './sandbox-options.ts';
import { sshSources } from './ssh-sources.ts';
import { readStandardInput } from './standard-input.ts';
import { storeRoot } from '../config/store-root.ts';

type BuildFlags = FlagValues<typeof buildFlags>;

/** The request that a command line stands for; nothing is read but standard input and pipes. */
export function buildRequest(
  flags: BuildFlags,
  positional: readonly string[],
  env: Environment,
  host: Platform,
): BuildRequest {
  const [context, ...more] = positional;
  if (context === undefined) {
    throw new TbuildError('USAGE', 'A build needs a context: the directory to copy files from', {
      hint: 'Try: tbuild -t NAME .',
    });
  }
  if (more.length > 0)
    throw new TbuildError('USAGE', `A build has one context, but there is also ${JSON.stringify(more[0])}`);
  const wanted = platforms(flags.platform ?? [], env, host);
  const tags = (flags.tag ?? []).map((name) => formatReference(nameOf(name)));
  const request = {
    ...sources(flags, context, env),
    namedContexts: Object.fromEntries((flags['build-context'] ?? []).map((text) => namedContext(text, env))),
    target: flags.target,
    platforms: wanted,
    implicitPlatform: (flags.platform ?? []).length === 0 && !env.variables.DOCKER_DEFAULT_PLATFORM,
    network: network(flags.network),
    buildArgs: {
      ...epochArg(env),
      ...Object.fromEntries((flags['build-arg'] ?? []).flatMap((text) => buildArg(text, env))),
    },
    labels: Object.fromEntries((flags.label ?? []).map((text) => pair(text))),
    tags,
    outputs: parseOutputs(flags, {
      cwd: env.cwd,
      tags,
      platforms: wanted,
      host,
      noArtifacts: /^(?:1|t|true)$/i.test(env.variables.BUILDX_NO_DEFAULT_OCI_ARTIFACT ?? ''),
    }),
    noCache: flags['no-cache'] === true || (flags['no-cache-filter'] ?? []).flatMap((names) => names.split(',')),
    pull: flags.pull ?? false,
    cacheFrom: (flags['cache-from'] ?? []).map((text) => parseCacheFrom(text, env.cwd)),
    cacheTo: (flags['cache-to'] ?? []).map((text) => parseCacheTo(text, env.cwd)),
    jobs: jobs(flags.jobs),
    extraHosts: extraHosts(flags['add-host'] ?? []),
    ssh: sshSources(flags.ssh ?? [], env),
    shmSize: byteSize(flags['shm-size'], 'shm-size'),
    ulimits: ulimits(flags.ulimit ?? []),
    resources: resources([...olderResources(flags), ...(flags.resource ?? [])]),
    cgroupParent: cgroupParent(flags['cgroup-parent']),
    allow: entitlements(flags.allow ?? []),
    attestations: parseAttestations(flags),
  };
  const limits = {
    cwd: env.cwd,
    allowed: (flags.allow ?? []).flatMap((names) => names.split(',')),
    contexts: [request.context, ...Object.values(request.namedContexts)],
    root: storeRoot(flags.root, env),
    home: env.variables.HOME,
  };
  for (const output of request.outputs) checkDeletion(output, limits);
  return request;
}

function olderResources(flags: FlagValues<typeof resourceFlags>): readonly string[] {
  return Object.entries(flags).flatMap(([name, value]) =>
    Object.hasOwn(resourceFlags, name) ? [`${name}=${value}`] : [],
  );
}

function nameOf(text: string) {
  const reference = parseReference(text);
  if (reference.digest !== undefined)
    throw new TbuildError('USAGE', `Name ${JSON.stringify(text)} has a digest, which only building can tell`);
  return reference;
}

/** The name of a Dockerfile that nobody named. */
const DEFAULT_NAME = 'Dockerfile';

/** The main context and the Dockerfile: either may stand on standard input. */
function sources(flags: BuildFlags, context: string, env: Environment): Pick<BuildRequest, 'context' | 'dockerfile'> {
  const { file } = flags;
  if (context === '-' && file === '-')
    throw new TbuildError('USAGE', 'Standard input cannot be both the Dockerfile and the context');
  if (context === '-') return inputSources(file, storeRoot(flags.root, env));
  const spec = contextSource(context, env.cwd);
  if (isUrl(file)) return { context: spec, dockerfile: { kind: 'url', url: file } };
  if (file === '-')
    return { context: spec, dockerfile: { kind: 'inline', text: readFileSync(0, 'utf8'), name: DEFAULT_NAME } };
  if (isFetched(spec)) return { context: spec, dockerfile: { kind: 'in-context', path: file ?? DEFAULT_NAME } };
  return { context: spec, dockerfile: file === undefined ? { kind: 'file' } : fileOrPipe(resolve(env.cwd, file)) };
}

/** A pipe, such as the shell's `<(command)`, can be read only once, and only here a signal ends the wait for it. */
function fileOrPipe(path: string): BuildRequest['dockerfile'] {
  if (statSync(path, { throwIfNoEntry: false })?.isFIFO() !== true) return { kind: 'file', path };
  const text = readLimitedFile(path, { what: `Dockerfile ${JSON.stringify(path)}`, pipes: true })?.toString() ?? '';
  return { kind: 'inline', name: basename(path), text };
}

/** An archive with everything, or a Dockerfile alone. */
function inputSources(file: string | undefined, root: string): Pick<BuildRequest, 'context' | 'dockerfile'> {
  const input = readStandardInput(storeLayout(root).run);
  if (input.kind === 'archive' && isUrl(file)) return { context: input, dockerfile: { kind: 'url', url: file } };
  if (input.kind === 'archive')
    return { context: input, dockerfile: { kind: 'in-context', path: file ?? DEFAULT_NAME } };
  if (file !== undefined) throw new TbuildError('USAGE', 'Standard input is a Dockerfile, and -f names another one');
  return { context: { kind: 'empty' }, dockerfile: { kind: 'inline', text: input.text, name: DEFAULT_NAME } };
}

function isUrl(file: string | undefined): file is string {
  return file !== undefined && /^https?:\/\//i.test(file);
}

function namedContext(text: string, env: Environment): [string, ContextSpec] {
  const [name, source] = pair(text);
  if (name === '' || source === '')
    throw new TbuildError('USAGE', `Build context ${JSON.stringify(text)} is not of the form NAME=SOURCE`);
  const image = /^docker-image:\/\/(.+)$/.exec(source)?.[1];
  if (image !== undefined) return [name, { kind: 'image', reference: image }];
  const layout = /^oci-layout:\/\/(.+?)(?:@(sha256:[a-f0-9]+)|:([\w][\w.-]*))?$/.exec(source);
  if (layout?.[1] !== undefined) {
    return [name, { kind: 'layout', path: resolve(env.cwd, layout[1]), reference: layout[2] ?? layout[3] ?? '' }];
  }
  return [name, contextSource(source, env.cwd)];
}

function pair(text: string): [string, string] {
  const at = text.indexOf('=');
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function buildArg(text: string, { variables }: Environment): [string, string][] {
  if (text.includes('=')) return [pair(text)];
  const value = variables[text];
  return value === undefined ? [] : [[text, value]];
}

function epochArg({ variables }: Environment): Readonly<Record<string, string>> {
  const epoch = variables.SOURCE_DATE_EPOCH;
  return epoch === undefined || epoch === '' ? {} : { SOURCE_DATE_EPOCH: epoch };
}

function platforms(texts: readonly string[], { variables }: Environment, host: Platform): readonly Platform[] {
  const given = texts.length > 0 ? texts : [variables.DOCKER_DEFAULT_PLATFORM ?? ''];
  const list = given.flatMap((text) => text.split(',')).filter((text) => text !== '');
  const parsed = list.map((text) => parsePlatform(text, host));
  const distinct = new Map(parsed.map((platform) => [formatPlatform(platform), platform]));
  return parsed.length === 0 ? [host] : [...distinct.values()];
}

function network(text = 'default'): BuildRequest['network'] {
  if (text === 'default' || text === 'none' || text === 'host' || text === 'pasta') return text;
  throw new TbuildError('USAGE', `Network ${JSON.stringify(text)} is none of default, none, host, pasta`);
}

function jobs(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const count = Number(text);
  if (Number.isSafeInteger(count) && count > 0) return count;
  throw new TbuildError('USAGE', `Option --jobs must be a positive number, not ${JSON.stringify(text)}`);
}
