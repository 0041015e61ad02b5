import { posix } from 'node:path';
import type { MountFlag } from '@tbuild/dockerfile';
import type { SourceRange } from '@tbuild/errors';
import type { RunMount, StepId } from '@tbuild/graph';
import { buildArg } from '../build-args.ts';
import { cwdOf, type StageState } from '../stage-state.ts';
import { expandIn, semanticError, sourceFrom, type LoweringContext, type Tree } from './lowering.ts';
import { readBoolean, readId, readMode, readSharing, readSize } from './mount-options.ts';
import { resolveDirectory } from './workdir.ts';

/** The target of lowered mounts. Steps that they read from join `sources`. */
export interface MountTarget {
  readonly context: LoweringContext;
  readonly sources: StepId[];
}

/** Returns the mounts of one RUN with their defaults. Every value but `from` is expanded. */
export function lowerMounts(state: StageState, flags: readonly MountFlag[], target: MountTarget): RunMount[] {
  const mounts: RunMount[] = [];
  for (const flag of flags) {
    const options = expandOptions(state, flag, target.context);
    const agents = mounts.filter(({ type }) => type === 'ssh').length;
    mounts.push(LOWERINGS[flag.type]({ state, target, options, location: flag.location, agents }));
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

const LOWERINGS: Readonly<Record<MountFlag['type'], (request: MountRequest) => RunMount>> = {
  bind: lowerBind,
  cache: lowerCache,
  tmpfs: lowerTmpfs,
  secret: lowerSecret,
  ssh: lowerSsh,
};

function expandOptions(state: StageState, flag: MountFlag, context: LoweringContext): Options {
  const { location } = flag;
  const { from, ...rest } = flag.options;
  const expanded = Object.entries(rest).map(([name, text]) => [name, expandIn(state, { text, location }, context)]);
  return { ...Object.fromEntries(expanded), from };
}

function lowerBind(request: MountRequest): RunMount {
  const { target, options } = request;
  return {
    type: 'bind',
    target: mountTarget(request),
    from: sourceFrom(treeOf(request) ?? { kind: 'context', name: 'context' }, target.sources),
    source: sourcePath(options.source),
    readonly: readBoolean(options.readonly, { name: 'readonly', location: request.location }) ?? true,
  };
}

function lowerCache(request: MountRequest): RunMount {
  const { target, options, location } = request;
  const namespace = buildArg(target.context.buildArgs, 'BUILDKIT_CACHE_MOUNT_NS') ?? '';
  const id = options.id || cleaned(options.target ?? '');
  const tree = treeOf(request);
  return {
    type: 'cache',
    target: mountTarget(request),
    id: namespace === '' ? id : `${namespace}/${id}`,
    sharing: readSharing(options.sharing, location),
    readonly: readBoolean(options.readonly, { name: 'readonly', location }) ?? false,
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
  const { options, location } = request;
  const named = options.source || options.id;
  if (!named && !options.target) throw semanticError('A secret mount needs "id" or "target"', location);
  const id = named || posix.basename(options.target ?? '');
  const { env } = options;
  const path = options.target ? absoluteTarget(request) : undefined;
  return {
    type: 'secret',
    id,
    ...(env === undefined ? { target: path ?? `/run/secrets/${posix.basename(id)}` } : { env: env || id }),
    ...(env !== undefined && path !== undefined ? { target: path } : {}),
    required: readBoolean(options.required, { name: 'required', location }) ?? false,
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
    required: readBoolean(options.required, { name: 'required', location }) ?? false,
    ...ownership(request, 0o600),
  };
}

function ownership({ options, location }: MountRequest, mode: number): { mode: number; uid: number; gid: number } {
  return {
    mode: readMode(options.mode, location) ?? mode,
    uid: readId(options.uid, { name: 'uid', location }) ?? 0,
    gid: readId(options.gid, { name: 'gid', location }) ?? 0,
  };
}

function treeOf({ target, options, location }: MountRequest): Tree | undefined {
  if (options.from === undefined || options.from === '') return undefined;
  return target.context.sourceOf(options.from, { location, index: false });
}

function mountTarget(request: MountRequest): string {
  const path = absoluteTarget(request);
  if (path !== '/') return path;
  throw semanticError('The root cannot be the target of a mount', request.location, 'Name a directory with target=');
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
