import { unescape } from 'node:querystring';
import type { Statement } from '@tbuild/images';
import { isRecord, recordOf } from '@tbuild/oci';

/** How an image was built, as far as its provenance says. */
export interface Recipe {
  /** The URL of the main context at the recorded commit; undefined if it was local. */
  readonly context?: string;
  /** The path of the Dockerfile in the context. */
  readonly dockerfile?: string;
  readonly target?: string;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** Named contexts, and base images at their recorded digests. */
  readonly contexts: Readonly<Record<string, string>>;
  /** Local directories and layouts that the build read, by name. They must be given. */
  readonly locals: readonly string[];
  readonly secrets: readonly MountId[];
  readonly ssh: readonly MountId[];
  /** Whether build arguments and labels are recorded (`mode=max`). */
  readonly hasArguments: boolean;
}

/** The ID of a secret or agent. */
export interface MountId {
  readonly id: string;
  readonly optional: boolean;
}

type Members = Readonly<Record<string, unknown>>;

/** The parts that both versions of SLSA provenance have. */
interface Parts {
  readonly source: Members;
  readonly request: Members;
  readonly materials: readonly Members[];
  readonly isComplete: boolean;
}

/**
 * Reads how an image was built from provenance that BuildKit or tbuild wrote. Undefined for other statements. What is read
 * comes from whoever pushed the image: it says where to look, not what to trust.
 */
export function readRecipe(statements: readonly Statement[]): Recipe | undefined {
  for (const { predicateType, predicate } of statements) {
    const isKnown = isRecord(predicate) && Object.hasOwn(PARTS, predicateType);
    const parts = isKnown ? PARTS[predicateType]?.(predicate) : undefined;
    if (parts?.request.frontend === 'dockerfile.v0') return recipeOf(parts);
  }
  return undefined;
}

const PARTS: Readonly<Record<string, (predicate: Members) => Parts>> = {
  'https://slsa.dev/provenance/v1'({ buildDefinition, runDetails }) {
    const { externalParameters, resolvedDependencies } = recordOf(buildDefinition);
    const { configSource, request } = recordOf(externalParameters);
    const { buildkit_completeness: completeness } = recordOf(recordOf(runDetails).metadata);
    return {
      source: recordOf(configSource),
      request: recordOf(request),
      materials: list(resolvedDependencies).map(recordOf),
      isComplete: recordOf(completeness).request === true,
    };
  },
  'https://slsa.dev/provenance/v0.2'({ invocation, materials, metadata }) {
    const { configSource, parameters } = recordOf(invocation);
    const { entryPoint, ...source } = recordOf(configSource);
    return {
      source: { ...source, path: entryPoint },
      request: recordOf(parameters),
      materials: list(materials).map(recordOf),
      isComplete: recordOf(recordOf(metadata).completeness).parameters === true,
    };
  },
};

function recipeOf({ source, request, materials, isComplete }: Parts): Recipe {
  const args = texts(request.args);
  const named = withPrefix(args, 'context:');
  const remote = Object.entries(named).filter(([, place]) => place.startsWith('docker-image://') || REMOTE.test(place));
  const local = Object.keys(named).filter((name) => !remote.some(([one]) => one === name));
  const locals = list(request.locals).map((one) => text(recordOf(one).name) ?? '');
  const context = text(source.uri);
  return {
    ...(context === undefined || !REMOTE.test(context)
      ? {}
      : { context: pinned(context, digestIn(source) ?? digestAmong(materials, context)) }),
    ...optional('dockerfile', pathInside(text(source.path) ?? args.filename)),
    ...optional('target', args.target),
    buildArgs: withPrefix(args, 'build-arg:'),
    labels: withPrefix(args, 'label:'),
    contexts: { ...basePins(materials), ...Object.fromEntries(remote) },
    locals: [...new Set([...local, ...locals])].filter((name) => !['', 'context', 'dockerfile'].includes(name)),
    secrets: mountIds(request.secrets),
    ssh: mountIds(request.ssh),
    hasArguments: isComplete,
  };
}

/** A place on another machine. A path would be one on this machine, which is not the image's business. */
const REMOTE = /^(?:(?:https?|git|ssh):\/\/[^-]|[\w-]+@[a-zA-Z0-9.-]+:)/;

function pathInside(path: string | undefined): string | undefined {
  return path === undefined || path.startsWith('/') || path.split('/').includes('..') ? undefined : path;
}

function optional<N extends string>(name: N, value: string | undefined): { readonly [Name in N]?: string } {
  return value === undefined || value === '' ? {} : ({ [name]: value } as { readonly [Name in N]?: string });
}

/** Returns a git URL at a commit, with its subdirectory. Any other URL stays. */
function pinned(uri: string, commit: string | undefined): string {
  const [address = '', fragment = ''] = uri.split('#', 2);
  if (commit === undefined || !/\.git$|^git@|^(?:git|ssh):/.test(address)) return uri;
  const colon = fragment.indexOf(':');
  return `${address}#${commit}${colon < 0 ? '' : fragment.slice(colon)}`;
}

/** BuildKit gives a repository with a subdirectory no digest, but lists it among the materials without the subdirectory. */
function digestAmong(materials: readonly Members[], context: string): string | undefined {
  const whole = context.replace(/(#[^:]*):.*$/, '$1').replace(/#$/, '');
  const found = materials.find(({ uri }) => uri === context || uri === whole);
  return found === undefined ? undefined : digestIn(found);
}

function digestIn({ digest }: Members): string | undefined {
  const { sha1, sha256 } = texts(digest);
  const found = sha1 ?? sha256;
  return found !== undefined && /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(found) ? found : undefined;
}

/** Returns a named context for each base image, so that its tag means what it meant then. */
function basePins(materials: readonly Members[]): Readonly<Record<string, string>> {
  const pins = materials.flatMap((material) => {
    const [, path = '', tag] = /^pkg:docker\/([^@?#]+)(?:@([^?#]+))?/.exec(text(material.uri) ?? '') ?? [];
    const digest = digestIn(material);
    if (path === '' || tag === undefined || digest === undefined || digest.length !== 64) return [];
    const name = `${unescape(path)}:${unescape(tag)}`;
    return [[name, `docker-image://${name}@sha256:${digest}`] as const];
  });
  return Object.fromEntries(pins);
}

function mountIds(value: unknown): readonly MountId[] {
  return list(value).flatMap((one) => {
    const { id, optional: isOptional } = recordOf(one);
    return typeof id === 'string' ? [{ id, optional: isOptional === true }] : [];
  });
}

function withPrefix(args: Readonly<Record<string, string>>, prefix: string): Readonly<Record<string, string>> {
  const found = Object.entries(args).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(found.map(([name, value]) => [name.slice(prefix.length), value]));
}

function texts(value: unknown): Readonly<Record<string, string>> {
  const entries = Object.entries(recordOf(value));
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
