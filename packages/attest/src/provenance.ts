import { withoutCredentials } from '@tbuild/errors';
import { packageUrl } from '@tbuild/exporter';
import type { Graph, Step, StepId } from '@tbuild/graph';
import { formatPlatform, hexOf, parseReference, type Platform } from '@tbuild/oci';
import type { ProvenanceSpec } from './attestation-specs.ts';

/** The part of a build request that provenance records. */
export interface AskedBuild {
  readonly context: AskedContext;
  readonly target?: string;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
}

/** The main context. */
export type AskedContext =
  | ({ readonly kind: 'git' } & GitSource)
  | { readonly kind: 'http'; readonly url: string }
  | { readonly kind: 'directory' | 'archive' | 'empty' | 'image' | 'layout' };

interface GitSource {
  readonly url: string;
  readonly ref?: string;
  readonly checksum?: string;
}

/** The facts that provenance records. */
export interface BuildFacts {
  /** The request as given, before anything was fetched. */
  readonly request: AskedBuild;
  /** The Dockerfile. */
  readonly loaded: { readonly name: string; readonly text: string };
  readonly graph: Graph;
  /** Platform of this machine. */
  readonly builderPlatform: Platform;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly finishedAt: number;
}

/** A source that the build read. */
interface Material {
  readonly uri: string;
  readonly digest?: Readonly<Record<string, string>>;
}

const PREDICATE = { v1: 'https://slsa.dev/provenance/v1', 'v0.2': 'https://slsa.dev/provenance/v0.2' } as const;
const SLSA_DEFINITION = 'https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md';
const BUILD_TYPE = 'https://mobyproject.org/buildkit@v1';

/** Returns the predicate type for a version of SLSA provenance. */
export function provenanceType({ version }: ProvenanceSpec): string {
  return PREDICATE[version];
}

/**
 * Returns SLSA provenance with the fields that BuildKit writes. `min` records times, platform and sources; `max` adds
 * build arguments, labels, the Dockerfile, steps and secret IDs. Neither contains the values of secrets, proxies or
 * credentials in URLs.
 */
export function provenance(spec: ProvenanceSpec, facts: BuildFacts): object {
  return documentWithoutCredentials(spec.version === 'v1' ? predicateV1(spec, facts) : predicateV02(spec, facts));
}

function predicateV1(spec: ProvenanceSpec, facts: BuildFacts): object {
  const { configSource, parameters, materials, config, metadata, completeness } = parts(spec, facts);
  return {
    buildDefinition: {
      buildType: SLSA_DEFINITION,
      externalParameters: { configSource, request: parameters },
      internalParameters: {
        builderPlatform: formatPlatform(facts.builderPlatform),
        ...(config === undefined ? {} : { buildConfig: config }),
      },
      resolvedDependencies: materials,
    },
    runDetails: {
      builder: { id: spec.builderId },
      metadata: {
        startedOn: timestamp(facts.startedAt),
        finishedOn: timestamp(facts.finishedAt),
        ...metadata,
        buildkit_completeness: { request: completeness.parameters, resolvedDependencies: completeness.materials },
        buildkit_reproducible: spec.reproducible,
      },
    },
  };
}

function predicateV02(spec: ProvenanceSpec, facts: BuildFacts): object {
  const { configSource, parameters, materials, config, metadata, completeness } = parts(spec, facts);
  const { path: entryPoint, ...source } = configSource;
  return {
    builder: { id: spec.builderId },
    buildType: BUILD_TYPE,
    materials,
    invocation: {
      configSource: { ...source, entryPoint },
      parameters,
      environment: { platform: formatPlatform(facts.builderPlatform) },
    },
    ...(config === undefined ? {} : { buildConfig: config }),
    metadata: {
      buildStartedOn: timestamp(facts.startedAt),
      buildFinishedOn: timestamp(facts.finishedAt),
      completeness: { ...completeness, environment: true },
      reproducible: spec.reproducible,
      ...(Object.keys(metadata).length === 0
        ? {}
        : { 'https://mobyproject.org/buildkit@v1#metadata': metadata.buildkit_metadata }),
    },
  };
}

function parts({ mode }: ProvenanceSpec, facts: BuildFacts) {
  const isMax = mode === 'max';
  const { request, loaded, graph } = facts;
  const remote = contextMaterial(request);
  const materials = distinct([
    ...[...graph.steps.values()].flatMap((step) => materialOf(step) ?? []),
    ...(remote === undefined ? [] : [remote]),
  ]);
  const secretArgs = Object.keys(request.buildArgs).length + Object.keys(request.labels).length > 0;
  return {
    configSource: { ...remote, path: loaded.name },
    parameters: {
      frontend: 'dockerfile.v0',
      args: {
        ...(request.target === undefined ? {} : { target: request.target }),
        ...(isMax ? givenArgs(request) : {}),
      },
      ...(isMax ? mountIds(graph) : {}),
      locals: request.context.kind === 'directory' ? [{ name: 'context' }, { name: 'dockerfile' }] : [],
    },
    materials,
    config: isMax ? { steps: stepsOf(graph) } : undefined,
    metadata: isMax
      ? {
          buildkit_metadata: {
            source: {
              infos: [
                {
                  filename: loaded.name,
                  language: 'Dockerfile',
                  data: Buffer.from(withoutCredentials(loaded.text)).toString('base64'),
                },
              ],
            },
          },
        }
      : {},
    completeness: {
      parameters: isMax || !secretArgs,
      materials: request.context.kind !== 'directory' && materials.every(({ digest }) => digest !== undefined),
    },
  };
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

function stepsOf({ steps }: Graph): readonly object[] {
  const names = new Map<StepId, string>([...steps.keys()].map((id, at) => [id, `step${at}`]));
  return [...steps.values()].map(({ id, op, base, sources, name }) => ({
    id: names.get(id),
    name,
    op,
    inputs: [base, ...sources].flatMap((input) => (input === undefined ? [] : [names.get(input)])),
  }));
}

function materialOf({ op }: Step): Material | undefined {
  if (op.kind === 'image') {
    const reference = parseReference(
      op.source.kind === 'registry' || op.source.kind === 'store' ? op.reference : 'layout',
    );
    const digest = { sha256: hexOf(reference.digest ?? op.manifest) };
    if (op.source.kind === 'layout') return { uri: `pkg:oci/${encodeURIComponent(op.reference)}`, digest };
    return {
      uri: packageUrl({ ...reference, ...(reference.tag === undefined ? {} : { digest: undefined }) }, op.platform),
      digest,
    };
  }
  if (op.kind === 'http')
    return { uri: op.url, ...(op.checksum === undefined ? {} : { digest: { sha256: hexOf(op.checksum) } }) };
  if (op.kind === 'git') return gitMaterial(op);
  return undefined;
}

function contextMaterial({ context }: AskedBuild): Material | undefined {
  if (context.kind === 'git') return gitMaterial(context);
  return context.kind === 'http' ? { uri: context.url } : undefined;
}

function gitMaterial({ url, ref, checksum }: GitSource): Material {
  const commit = [checksum, ref].find((text) => text !== undefined && /^[0-9a-f]{40}$/.test(text));
  return {
    uri: ref === undefined ? url : `${url}#${ref}`,
    ...(commit === undefined ? {} : { digest: { sha1: commit } }),
  };
}

function distinct(materials: readonly Material[]): readonly Material[] {
  return [...new Map(materials.map((material) => [JSON.stringify(material), material])).values()];
}

function timestamp(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

/** Returns the document with credentials removed from every string. */
function documentWithoutCredentials<T extends object>(document: T): T {
  return JSON.parse(JSON.stringify(document), (_, value: unknown) =>
    typeof value === 'string' ? withoutCredentials(value) : value,
  );
}
