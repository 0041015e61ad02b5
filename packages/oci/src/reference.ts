import { TbuildError } from '@tbuild/errors';
import { isDigest, type Digest } from './digest.ts';

/** The full name of an image. */
export interface Reference {
  /** Host and port, e.g. `docker.io` or `127.0.0.1:5000`. */
  readonly registry: string;
  /** Path below the registry, e.g. `library/nginx`. */
  readonly repository: string;
  /** Present unless only a digest was given; `latest` if neither was given. */
  readonly tag?: string;
  readonly digest?: Digest;
}

const DEFAULT_REGISTRY = 'docker.io';
const DEFAULT_TAG = 'latest';
const COMPONENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const REGISTRY = /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?|\[[a-fA-F0-9:]+\])(?::\d+)?$/;
const TAG = /^[\w][\w.-]{0,127}$/;

/**
 * Parses an image name as Docker does (distribution's reference grammar): `nginx` is
 * `docker.io/library/nginx:latest`. A first component is a registry if it is `localhost` or has a dot, a colon or an
 * upper-case letter.
 * @throws TbuildError USAGE with the reason.
 */
export function parseReference(text: string): Reference {
  return parseReferenceOr(`Image reference ${JSON.stringify(text)} is not valid`, text);
}

/**
 * Parses an image name as {@link parseReference} does.
 * @throws TbuildError USAGE whose message begins with `failed`.
 */
export function parseReferenceOr(failed: string, text: string): Reference {
  const invalid = (reason: string, hint?: string) =>
    new TbuildError('USAGE', `${failed}: invalid reference format: ${reason}`, { hint });
  const scheme = /^https?:\/\//i.exec(text)?.[0];
  if (scheme !== undefined) throw invalid('it is a URL', `Leave out ${JSON.stringify(scheme)}`);
  const at = text.indexOf('@');
  const digest = at < 0 ? undefined : text.slice(at + 1);
  const named = at < 0 ? text : text.slice(0, at);
  if (digest !== undefined && !isDigest(digest))
    throw invalid(`digest ${JSON.stringify(digest)} is not sha256:<64 hex digits>`);
  const colon = named.lastIndexOf(':');
  const hasTag = colon > named.lastIndexOf('/') && !named.endsWith(']');
  const tag = hasTag ? named.slice(colon + 1) : undefined;
  if (tag !== undefined && !TAG.test(tag))
    throw invalid(`tag ${JSON.stringify(tag)} must be letters, digits, ".", "_" or "-"`);
  const { registry, repository } = splitRegistry(hasTag ? named.slice(0, colon) : named);
  const wrong = problemOf(registry, repository);
  if (wrong !== undefined)
    throw invalid(wrong, lowerCased(text) === text ? undefined : `Write it as ${JSON.stringify(lowerCased(text))}`);
  return {
    registry,
    repository,
    ...(tag === undefined && digest !== undefined ? {} : { tag: tag ?? DEFAULT_TAG }),
    ...(digest === undefined ? {} : { digest }),
  };
}

function splitRegistry(name: string): { registry: string; repository: string } {
  const slash = name.indexOf('/');
  const first = slash < 0 ? '' : name.slice(0, slash);
  const isRegistry = /[.:A-Z]/.test(first) || first === 'localhost';
  const rest = isRegistry ? name.slice(slash + 1) : name;
  const registry = isRegistry && first !== 'index.docker.io' ? first : DEFAULT_REGISTRY;
  const official = registry === DEFAULT_REGISTRY && !rest.includes('/');
  return { registry, repository: official ? `library/${rest}` : rest };
}

/** Returns why a name is not valid. */
function problemOf(registry: string, repository: string): string | undefined {
  if (!REGISTRY.test(registry)) return `registry ${JSON.stringify(registry)} is not a host name`;
  if (repository.length + registry.length + 1 > 255) return 'the name is longer than 255 characters';
  const wrong = repository.split('/').find((component) => !COMPONENT.test(component));
  if (wrong === undefined) return undefined;
  if (/[A-Z]/.test(wrong)) return `repository name (${repository}) must be lowercase`;
  if (repository === 'library/') return 'it is empty';
  return `component ${JSON.stringify(wrong.replace(/^library$/, ''))} must be lowercase letters and digits, separated by ".", "_" or "-"`;
}

/** Returns a reference with its repository in lower case. A tag may have capitals, and so may the host of a registry. */
function lowerCased(text: string): string {
  const [, name = '', suffix = ''] = /^(.*?)((?::[^/]*)?(?:@.*)?)$/.exec(text) ?? [];
  return `${name.toLowerCase()}${suffix}`;
}

/** Returns the full form, e.g. `docker.io/library/nginx:latest`. */
export function formatReference(reference: Reference): string {
  return `${formatRepository(reference)}${suffix(reference)}`;
}

/** Returns registry and repository, e.g. `docker.io/library/nginx`. */
export function formatRepository(reference: Reference): string {
  return `${reference.registry}/${reference.repository}`;
}

/** Returns the short form that Docker prints: without `docker.io/` and `library/`. */
export function familiarReference(reference: Reference): string {
  return `${familiarRepository(reference)}${suffix(reference)}`;
}

/** Returns {@link familiarReference} without tag and digest. */
export function familiarRepository(reference: Reference): string {
  if (reference.registry !== DEFAULT_REGISTRY) return formatRepository(reference);
  return reference.repository.replace(/^library\/(?=[^/]+$)/, '');
}

function suffix({ tag, digest }: Reference): string {
  return `${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}
