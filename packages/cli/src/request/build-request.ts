import { resolve } from 'node:path';
import type { BuildRequest, ImageEdits, SourcePolicy } from '@tbuild/builder';
import { TbuildError } from '@tbuild/errors';
import { goBool, formatPlatform, formatReference, parsePlatform, parseReference, type Platform } from '@tbuild/oci';
import type { BuildSpec, PullPolicy } from '@tbuild/spec';
import { proxyArgs } from '../config/docker-proxies.ts';
import type { Environment } from '../config/environment.ts';
import { parseSpan } from '../flags/sizes.ts';
import { attestationSpecs } from './attestations.ts';
import { cacheExport, cacheImport } from './cache-spec.ts';
import { checkDeletion } from './deleting-output.ts';
import { outputSpecs } from './outputs.ts';
import { byteSize, cgroupParent, entitlements, extraHosts, resources, ulimits } from './sandbox-options.ts';
import { readSourcePolicy } from './source-policy.ts';
import { namedContext, sources } from './sources.ts';
import { sshSources } from './ssh-sources.ts';

export interface RequestPlaces {
  /** The machine's platform. */
  readonly host: Platform;
  /** The store's directory. */
  readonly root: string;
}

/**
 * Turns a spec into a request: the only way from one to the other. Reads nothing but standard input and pipes.
 * @throws TbuildError for every mistake that can be found before anything is built.
 */
export function buildRequest(spec: BuildSpec, env: Environment, { host, root }: RequestPlaces): BuildRequest {
  const { cwd } = env;
  const wanted = platforms(spec, env, host);
  const tags = (spec.tags ?? []).map(fullName);
  const attestations = attestationSpecs(spec);
  const hasIndex =
    wanted.platforms.length > 1 ||
    attestations !== undefined ||
    goBool(spec.buildArgs?.BUILDKIT_MULTI_PLATFORM ?? '') === true;
  const noArtifacts = goBool(env.variables.BUILDX_NO_DEFAULT_OCI_ARTIFACT) === true;
  const request = {
    ...sources(spec, { cwd, root }),
    namedContexts: mapValues(spec.contexts, (source, name) => namedContext(name, source, cwd)),
    target: spec.target,
    ...wanted,
    buildArgs: { ...epochArg(env), ...proxyArgs(spec.buildArgs ?? {}, env), ...spec.buildArgs },
    labels: spec.labels ?? {},
    edits: imageEdits(spec),
    sourcePolicy: sourcePolicy(spec, env),
    ignoreFile: spec.ignoreFile === undefined ? undefined : resolve(cwd, spec.ignoreFile),
    tags,
    outputs: outputSpecs(spec, { cwd, tags, platforms: wanted.platforms, hasIndex, host, noArtifacts }),
    noCache: spec.noCache ?? false,
    cacheTtl: spec.cacheTtl === undefined ? undefined : parseSpan(spec.cacheTtl, '--cache-ttl'),
    pull: pullPolicy(spec.pull),
    cacheFrom: (spec.cacheFrom ?? []).map((source) => cacheImport(source, env)),
    cacheTo: cacheTargets(spec).map((target) => cacheExport(target, env)),
    ...sandbox(spec),
    // Without subordinate ids only: real ones need no pretence.
    fakeIds: spec.fakeIds === true && env.variables.TBUILD_SINGLE_ID !== undefined,
    rebuildSecrets: spec.rebuildSecrets ?? [],
    ssh: sshSources(spec.ssh ?? {}, env),
    attestations,
    gitInfo: goBool(env.variables.BUILDX_GIT_INFO) !== false,
  };
  const contexts = [request.context, ...Object.values(request.namedContexts)];
  const limits = { cwd, allowed: spec.allow ?? [], contexts, root, home: env.variables.HOME };
  for (const output of request.outputs) checkDeletion(output, limits);
  return request;
}

function pullPolicy(pull: BuildSpec['pull']): PullPolicy {
  if (pull === true) return 'always';
  return pull || 'newer';
}

/** The build argument is how an inline cache is asked for without buildx. */
function cacheTargets({ cacheTo = [], buildArgs = {} }: BuildSpec): NonNullable<BuildSpec['cacheTo']> {
  return goBool(buildArgs.BUILDKIT_INLINE_CACHE) === true ? [...cacheTo, { type: 'inline' }] : cacheTo;
}

function imageEdits(spec: BuildSpec): ImageEdits {
  return {
    env: spec.env ?? {},
    unsetEnv: spec.unsetEnv ?? [],
    unsetLabels: spec.unsetLabels ?? [],
    omitHistory: spec.omitHistory ?? false,
    baseAnnotations: spec.baseAnnotations ?? false,
  };
}

/** Reads the policy of the spec, or of BuildKit's variable. */
function sourcePolicy({ sourcePolicy: file }: BuildSpec, { variables, cwd }: Environment): SourcePolicy {
  const path = file ?? variables.EXPERIMENTAL_BUILDKIT_SOURCE_POLICY ?? '';
  return path === '' ? [] : readSourcePolicy(resolve(cwd, path));
}

function sandbox(spec: BuildSpec) {
  return {
    jobs: jobs(spec.jobs),
    network: spec.network ?? 'default',
    extraHosts: extraHosts(spec.extraHosts ?? []),
    shmSize: byteSize(spec.shmSize, '--shm-size'),
    ulimits: ulimits(spec.ulimits ?? {}),
    resources: resources(spec.resources ?? {}),
    cgroupParent: cgroupParent(spec.cgroupParent),
    allow: entitlements(spec.allow ?? []),
    logMax: byteSize(spec.logMax, '--log-max'),
  };
}

function fullName(text: string): string {
  const reference = parseReference(text);
  if (reference.digest === undefined) return formatReference(reference);
  throw new TbuildError('USAGE', `Name ${JSON.stringify(text)} must not have a digest: the build determines it`);
}

function mapValues<T, R>(
  values: Readonly<Record<string, T>> = {},
  map: (value: T, name: string) => R,
): Readonly<Record<string, R>> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, map(value, name)]));
}

function epochArg({ variables }: Environment): Readonly<Record<string, string>> {
  const epoch = variables.SOURCE_DATE_EPOCH;
  return epoch === undefined || epoch === '' ? {} : { SOURCE_DATE_EPOCH: epoch };
}

/** Returns the platforms of the spec, else of `DOCKER_DEFAULT_PLATFORM`, else the machine's; each once. */
function platforms(
  { platforms: asked = [] }: BuildSpec,
  { variables }: Environment,
  host: Platform,
): Pick<BuildRequest, 'platforms' | 'implicitPlatform'> {
  const lists = asked.length > 0 ? asked : [variables.DOCKER_DEFAULT_PLATFORM ?? ''];
  const texts = lists.flatMap((list) => list.split(','));
  const parsed = texts.filter((text) => text !== '').map((text) => parsePlatform(text, host));
  const distinct = new Map(parsed.map((platform) => [formatPlatform(platform), platform]));
  return { platforms: parsed.length === 0 ? [host] : [...distinct.values()], implicitPlatform: parsed.length === 0 };
}

function jobs(count: number | undefined): number | undefined {
  if (count === undefined || (Number.isSafeInteger(count) && count > 0)) return count;
  throw new TbuildError('USAGE', `Invalid --jobs ${count}: expected a positive whole number`);
}
