import { posix } from 'node:path';
import { expandMount, type MountFlag, type MountType } from '@tbuild/dockerfile';
import type { SourceRange } from '@tbuild/errors';
import type { RunMount, StepId } from '@tbuild/graph';
import { buildArg } from '../build-args.ts';
import { cwdOf, type StageState } from '../stages/stage-state.ts';
import { expandIn, semanticError, sourceFrom, type LoweringContext, type Tree } from './lowering.ts';
import { readSize } from './mount-options.ts';
import { resolveDirectory } from './workdir.ts';

/** The target of lowered mounts. Steps that they read from join `sources`. */
export interface MountTarget {
  readonly context: LoweringContext;
  readonly sources: StepId[];
}

/** A mount whose values are expanded. */
export type ExpandedMount = ReturnType<typeof expandMount>;

/** Expands every value of the mounts but `from`, the type included. */
export function expandMounts(
  state: StageState,
  flags: readonly MountFlag[],
  context: LoweringContext,
): readonly ExpandedMount[] {
  return flags.map((flag) => expandMount(flag, (text) => expandIn(state, { text, location: flag.location }, context)));
}

/** Returns the mounts of one RUN with their defaults. */
export function lowerMounts(state: StageState, flags: readonly ExpandedMount[], target: MountTarget): RunMount[] {
  const mounts: RunMount[] = [];
  for (const { type, options, location } of flags) {
    const agents = mounts.filter((mount) => mount.type === 'ssh').length;
    mounts.push(LOWERINGS[type]({ state, target, options, location, agents }));
  }
  return mounts;
}

type Options = Readonly<Record<string, string | undefined>>;

interface MountRequest {
  readonly state: StageState;
  readonly target: MountTarget;
  readonly options: Options;
  readonly location: SourceRange;
  /** The number of ssh mounts before this one. */
  readonly agents: number;
}

const LOWERINGS: Readonly<Record<MountType, (request: MountRequest) => RunMount>> = {
  bind: lowerBind,
  cache: lowerCache,
  tmpfs: lowerTmpfs,
  secret: lowerSecret,
  ssh: lowerSsh,
};

function lowerBind(request: MountRequest): RunMount {
  const { target, options } = request;
  return {
    type: 'bind',
    target: mountTarget(request),
    from: sourceFrom(treeOf(request) ?? { kind: 'context', name: 'context' }, target.sources),
    source: sourcePath(options.source),
    readonly: options.readonly !== 'false',
  };
}

function lowerCache(request: MountRequest): RunMount {
  const { target, options } = request;
  const namespace = buildArg(target.context.buildArgs, 'BUILDKIT_CACHE_MOUNT_NS') ?? '';
  const id = options.id || cleaned(options.target ?? '');
  const tree = treeOf(request);
  return {
    type: 'cache',
    target: mountTarget(request),
    id: namespace === '' ? id : `${namespace}/${id}`,
    sharing: sharingOf(options),
    readonly: options.readonly === 'true',
    ...(tree === undefined ? {} : { from: sourceFrom(tree, target.sources) }),
    ...(sourcePath(options.source) === '' ? {} : { source: sourcePath(options.source) }),
    ...ownership(request, 0o755),
  };
}

function lowerTmpfs(request: MountRequest): RunMount {
  const size = readSize(request.options.size, request.location);
  return { type: 'tmpfs', target: mountTarget(request), ...(size === undefined || size === 0 ? {} : { size }) };
}

function lowerSecret(request: MountRequest): RunMount {
  const { options } = request;
  const id = options.source || options.id || posix.basename(options.target ?? '');
  const { env } = options;
  const path = options.target ? absoluteTarget(request) : undefined;
  return {
    type: 'secret',
    id,
    ...(env === undefined ? { target: path ?? `/run/secrets/${posix.basename(id)}` } : { env: env || id }),
    ...(env !== undefined && path !== undefined ? { target: path } : {}),
    required: options.required === 'true',
    ...ownership(request, 0o400),
  };
}

function lowerSsh(request: MountRequest): RunMount {
  const { options, location, agents } = request;
  if (options.source) throw semanticError('An ssh mount cannot have "source"', location);
  return {
    type: 'ssh',
    id: options.id || 'default',
    target: options.target ? absoluteTarget(request) : `/run/buildkit/ssh_agent.${agents}`,
    required: options.required === 'true',
    ...ownership(request, 0o600),
  };
}

const SHARING = ['shared', 'private', 'locked'] as const;

function sharingOf({ sharing = 'shared' }: Options): (typeof SHARING)[number] {
  return SHARING.find((mode) => mode === sharing.toLowerCase()) ?? 'shared';
}

function ownership({ options }: MountRequest, mode: number): { mode: number; uid: number; gid: number } {
  return {
    mode: options.mode === undefined ? mode : Number.parseInt(options.mode, 8),
    uid: Number(options.uid ?? 0),
    gid: Number(options.gid ?? 0),
  };
}

function treeOf({ target, options, location }: MountRequest): Tree | undefined {
  if (options.from === undefined || options.from === '') return undefined;
  return target.context.sourceOf(options.from, { location, index: false });
}

function mountTarget(request: MountRequest): string {
  const path = absoluteTarget(request);
  if (path !== '/') return path;
  throw semanticError('Invalid mount target "/"', request.location, 'Name a directory with target=');
}

function absoluteTarget({ state, options }: MountRequest): string {
  return resolveDirectory(cwdOf(state), options.target ?? '');
}

/** Mirrors Go's path.Clean. */
function cleaned(path: string): string {
  return posix.normalize(path).replace(/(.)\/$/, '$1');
}

function sourcePath(source: string | undefined): string {
  return posix.resolve('/', source ?? '').slice(1);
}
