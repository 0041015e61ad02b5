import { packageUrl } from '@tbuild/exporter';
import { gitFragment } from '@tbuild/frontend';
import type { GitOp, HttpOp, ImageOp, Step } from '@tbuild/graph';
import { hexOf, parseReference } from '@tbuild/oci';
import type { AskedBuild, BuildFacts } from './build-facts.ts';

/** A source that a build read. */
export interface Material {
  readonly uri: string;
  readonly digest?: Readonly<Record<string, string>>;
}

/** Returns the sources of a build, each once: images, repositories and URLs. */
export function materialsOf(facts: BuildFacts): readonly Material[] {
  const { contextOp } = facts;
  const found = [
    ...[...facts.graph.steps.values()].flatMap((step) => materialOf(step, facts) ?? []),
    ...(contextOp === undefined ? [] : [remoteMaterial(contextOp, facts)]),
  ];
  return [...new Map(found.map((material) => [JSON.stringify(material), material])).values()];
}

function materialOf({ op }: Step, facts: BuildFacts): Material | undefined {
  if (op.kind === 'image') return imageMaterial(op, facts.request);
  return op.kind === 'http' || op.kind === 'git' ? remoteMaterial(op, facts) : undefined;
}

/** An image of a layout is named after its context: the path would say something about this machine. */
function imageMaterial(op: ImageOp, request: AskedBuild): Material {
  const { source, platform, manifest } = op;
  if (source.kind === 'layout') {
    const reference = { ...parseReference(layoutName(source.path, request)), tag: undefined, digest: manifest };
    return { uri: packageUrl(reference, { platform, type: 'oci' }), digest: { sha256: hexOf(manifest) } };
  }
  const { tag, digest, ...repository } = parseReference(op.reference);
  return {
    uri: packageUrl(tag === undefined ? { ...repository, digest } : { ...repository, tag }, { platform }),
    digest: { sha256: hexOf(digest ?? manifest) },
  };
}

/** Returns the name of the context that is a layout. */
export function layoutName(path: string, { namedContexts }: AskedBuild): string {
  const named = Object.entries(namedContexts).find(([, context]) => context.kind === 'layout' && context.path === path);
  return named?.[0].replace(/::.*$/, '').toLowerCase() ?? 'layout';
}

/** Returns a repository or URL as a material. */
export function remoteMaterial(op: GitOp | HttpOp, { resolvedSource }: Pick<BuildFacts, 'resolvedSource'>): Material {
  const found = resolvedSource(op);
  if (op.kind === 'git') {
    const known = [found?.commit, op.checksum, op.ref].find((text) => text !== undefined && COMMIT.test(text));
    const uri = `${op.url}${gitFragment({ ref: op.ref })}`;
    return { uri, ...(known === undefined ? {} : { digest: { [known.length === 40 ? 'sha1' : 'sha256']: known } }) };
  }
  const digest = found?.digest ?? op.checksum;
  return { uri: op.url, ...(digest === undefined ? {} : { digest: { sha256: hexOf(digest) } }) };
}

const COMMIT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
