import { hasCode, TbuildError } from '@tbuild/errors';
import { familiarReference, formatPlatform, parseReference, type Platform } from '@tbuild/oci';
import { parseEngineName } from './engine-name.ts';
import type { AskedSource, NamedContext, Plan } from './plan.ts';

/** The origin of a tree: the base of FROM, or the source of COPY and mounts. */
export type Origin =
  | { readonly kind: 'scratch' }
  | { readonly kind: 'stage'; readonly index: number }
  | { readonly kind: 'image'; readonly reference: string; readonly source: AskedSource }
  | { readonly kind: 'files'; readonly context: string }
  | { readonly kind: 'target'; readonly plan: Plan }
  | Extract<NamedContext, { kind: 'remote' }>;

/** The named contexts of `--build-context`, and the platform for a `name::platform` among them. */
export interface ContextNames {
  readonly contexts: Readonly<Record<string, NamedContext>>;
  readonly platform: Platform;
}

/** Returns the origin for an image name: `scratch`, a named context, or an image of a registry. */
export function imageOrigin(reference: string, names: ContextNames): Origin {
  if (reference === 'scratch') return { kind: 'scratch' };
  return contextOrigin(reference, names) ?? namedImage(reference);
}

/**
 * Returns the origin that the user gave for a name with `--build-context`, or undefined. Names are compared as image
 * references: `alpine`, `alpine:latest` and `docker.io/library/alpine` are equal.
 */
export function contextOrigin(name: string, { contexts, platform }: ContextNames): Origin | undefined {
  const wanted = normalizeName(name);
  if (wanted === 'scratch' || wanted === 'context') return undefined;
  const find = (suffix: string) =>
    Object.entries(contexts).find(
      ([key]) => key.endsWith(suffix) && normalizeName(key.slice(0, key.length - suffix.length)) === wanted,
    );
  const context = (find(`::${formatPlatform(platform)}`) ?? find(''))?.[1];
  if (context === undefined) return undefined;
  if (context.kind === 'files') return { kind: 'files', context: context.context };
  if (context.kind === 'remote') return context;
  if (context.kind === 'target') return { kind: 'target', plan: planFor(platform, context) };
  if (context.reference === 'scratch') return { kind: 'scratch' };
  if (context.kind === 'image') return namedImage(context.reference);
  return { kind: 'image', reference: context.reference, source: { kind: 'layout', path: context.path } };
}

/** Returns an image of a registry, or of the engine that its name begins with. */
function namedImage(name: string): Origin {
  const { engine, reference } = parseEngineName(name) ?? {};
  if (engine === undefined || reference === undefined)
    return { kind: 'image', reference: name, source: { kind: 'registry' } };
  return { kind: 'image', reference, source: { kind: 'engine', engine } };
}

/** A target that is built for one platform serves all others too. */
function planFor(platform: Platform, { name, plans }: Extract<NamedContext, { kind: 'target' }>): Plan {
  const wanted = formatPlatform(platform);
  const [first, ...others] = plans;
  const plan =
    plans.find((one) => formatPlatform(one.platform) === wanted) ?? (others.length === 0 ? first : undefined);
  if (plan !== undefined) return plan;
  throw new TbuildError('DOCKERFILE_SEMANTICS', `The target ${JSON.stringify(name)} is not built for ${wanted}`, {
    hint: `Add ${wanted} to its platforms: ${plans.map((one) => formatPlatform(one.platform)).join(', ')}`,
  });
}

function normalizeName(name: string): string {
  try {
    return familiarReference(parseReference(name)).replace(/:latest$/, '');
  } catch (error) {
    if (hasCode(error, 'USAGE')) return name.toLowerCase();
    throw error;
  }
}
