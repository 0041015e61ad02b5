import { gitFragment, parseEngineName } from '@tbuild/frontend';
import type { Graph } from '@tbuild/graph';
import { formatReference, parseReference } from '@tbuild/oci';
import type { AskedBuild, AskedContext, BuildFacts } from './build-facts.ts';
import { layoutName, remoteMaterial } from './materials.ts';

/** The assembly of images that tbuild reproduces, by BuildKit's number. */
const COMPATIBILITY_VERSION = 30;

/**
 * Returns the parameters of a build in the words of BuildKit's frontend. Build arguments, labels and the IDs of secrets are
 * only in those of `mode=max`.
 */
export function requestParameters(facts: BuildFacts, isMax: boolean): object {
  const { graph, request } = facts;
  const args = { ...(isMax ? givenArgs(request) : {}), ...frontendArgs(request, graph) };
  const sorted = Object.fromEntries(Object.entries(args).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  const locals = localsOf(facts);
  return {
    frontend: 'dockerfile.v0',
    args: sorted,
    ...(isMax ? mountIds(graph) : {}),
    ...(locals.length === 0 ? {} : { locals }),
    root: { configSource: configSource(facts), request: { args: sorted } },
    compatibilityVersion: COMPATIBILITY_VERSION,
  };
}

/** Where the Dockerfile and the main context came from, if they can be had again. */
export function configSource(facts: BuildFacts): {
  readonly uri?: string;
  readonly digest?: Readonly<Record<string, string>>;
  readonly path: string;
} {
  const { contextOp, loaded } = facts;
  if (contextOp === undefined) return { path: loaded.name };
  const { uri, digest } = remoteMaterial(contextOp, facts);
  const directory = contextOp.kind === 'git' ? contextOp.subdirectory : undefined;
  const place = directory === undefined ? uri : `${uri}${uri.includes('#') ? '' : '#'}:${directory}`;
  return { uri: place, ...(digest === undefined ? {} : { digest }), path: loaded.name };
}

/** Proxies do not affect the result and often contain a password. */
const PROXY = /^(?:https?|ftp|no|all)_proxy$/i;

function givenArgs({ buildArgs, labels }: AskedBuild): Readonly<Record<string, string>> {
  const args = Object.entries(buildArgs).filter(([name]) => !PROXY.test(name));
  return {
    ...Object.fromEntries(args.map(([name, value]) => [`build-arg:${name}`, value])),
    ...Object.fromEntries(Object.entries(labels).map(([name, value]) => [`label:${name}`, value])),
  };
}

function frontendArgs({ target, noCache, ...request }: AskedBuild, graph: Graph): Readonly<Record<string, string>> {
  const listed = typeof noCache === 'boolean' ? '' : noCache.join(',');
  const contexts = Object.entries(request.namedContexts).map(([name, context]) => [
    `context:${name}`,
    contextAddress(name, context, { request: { ...request, noCache }, graph }),
  ]);
  return {
    ...(target === undefined ? {} : { target }),
    ...(noCache === true || listed !== '' ? { 'no-cache': listed } : {}),
    ...Object.fromEntries(contexts),
  };
}

function contextAddress(
  name: string,
  context: AskedContext,
  { request, graph }: Pick<BuildFacts, 'request' | 'graph'>,
): string {
  if (context.kind === 'git') return `${context.url}${gitFragment(context)}`;
  if (context.kind === 'http') return context.url;
  if (context.kind === 'image' && parseEngineName(context.reference) !== undefined) return context.reference;
  if (context.kind === 'image') return `docker-image://${formatReference(parseReference(context.reference))}`;
  if (context.kind !== 'layout') return `local:${name}`;
  const ops = [...graph.steps.values()].map(({ op }) => op);
  const used = ops.find((op) => op.kind === 'image' && op.source.kind === 'layout' && op.source.path === context.path);
  const digest = used?.kind === 'image' ? `@${used.manifest}` : '';
  return `oci-layout://${layoutName(context.path, request)}${digest}`;
}

/** Returns the local directories that the image was made from. */
function localsOf({ graph, contextOp }: BuildFacts): readonly object[] {
  const names = new Set(contextOp === undefined ? ['dockerfile'] : []);
  for (const { op } of graph.steps.values()) {
    if (op.kind !== 'copy' && op.kind !== 'run') continue;
    const read = op.kind === 'copy' ? [op, ...(op.more ?? [])] : op.mounts;
    for (const one of read) {
      const from = 'from' in one ? one.from : undefined;
      if (from?.kind === 'context' && (contextOp === undefined || from.name !== 'context')) names.add(from.name);
    }
  }
  return [...names].toSorted().map((name) => ({ name }));
}

function mountIds({ steps }: Graph): object {
  const ids = { secret: new Map<string, boolean>(), ssh: new Map<string, boolean>() };
  for (const { op } of steps.values()) {
    if (op.kind !== 'run') continue;
    for (const mount of op.mounts) {
      if (mount.type !== 'secret' && mount.type !== 'ssh') continue;
      ids[mount.type].set(mount.id, (ids[mount.type].get(mount.id) ?? true) && !mount.required);
    }
  }
  const list = (known: ReadonlyMap<string, boolean>): object[] =>
    [...known].map(([id, optional]) => (optional ? { id, optional } : { id }));
  return {
    ...(ids.secret.size > 0 ? { secrets: list(ids.secret) } : {}),
    ...(ids.ssh.size > 0 ? { ssh: list(ids.ssh) } : {}),
  };
}
