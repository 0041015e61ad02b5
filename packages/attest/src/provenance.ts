import { withoutCredentials } from '@tbuild/errors';
import { formatPlatform, goTimeOf } from '@tbuild/oci';
import type { ProvenanceSpec } from './attestation-specs.ts';
import type { BuildFacts } from './build-facts.ts';
import { fileDefinition, llbDefinition, type LlbDefinition } from './llb-definition.ts';
import { materialsOf, type Material } from './materials.ts';
import { configSource, requestParameters } from './request-parameters.ts';

const PREDICATE = { v1: 'https://slsa.dev/provenance/v1', 'v0.2': 'https://slsa.dev/provenance/v0.2' } as const;
const SLSA_DEFINITION = 'https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md';
const BUILD_TYPE = 'https://mobyproject.org/buildkit@v1';
/** The version of Docker's frontend whose language tbuild implements. */
const DOCKERFILE_VERSION = '1.26.0';

/** Returns the predicate type for a version of SLSA provenance. */
export function provenanceType({ version }: ProvenanceSpec): string {
  return PREDICATE[version];
}

/**
 * Returns SLSA provenance of one image with the fields that BuildKit writes, in its order. `min` records times, platform
 * and sources; `max` adds build arguments, labels, the Dockerfile, steps, layers and secret IDs. Neither contains the values
 * of secrets, proxies or credentials in URLs.
 */
export function provenance(spec: ProvenanceSpec, facts: BuildFacts): object {
  const parts = partsOf(spec, facts);
  return documentWithoutCredentials(
    spec.version === 'v1' ? predicateV1(spec, parts, facts) : predicateV02(spec, parts, facts),
  );
}

interface Parts {
  readonly materials: readonly Material[];
  readonly parameters: object;
  /** The steps, in `mode=max`. */
  readonly config: object | undefined;
  /** BuildKit's own metadata. */
  readonly metadata: object;
  readonly hasAllParameters: boolean;
  readonly hasAllMaterials: boolean;
}

function predicateV1(spec: ProvenanceSpec, parts: Parts, facts: BuildFacts): object {
  return {
    buildDefinition: {
      buildType: SLSA_DEFINITION,
      resolvedDependencies: parts.materials,
      externalParameters: { configSource: configSource(facts), request: parts.parameters },
      internalParameters: {
        ...(parts.config === undefined ? {} : { buildConfig: parts.config }),
        builderPlatform: formatPlatform(facts.builderPlatform),
        dockerfileVersion: DOCKERFILE_VERSION,
      },
    },
    runDetails: {
      builder: { id: spec.builderId },
      metadata: {
        invocationId: facts.invocationId,
        startedOn: goTimeOf(facts.startedAt),
        finishedOn: goTimeOf(facts.finishedAt),
        buildkit_metadata: parts.metadata,
        buildkit_completeness: { request: parts.hasAllParameters, resolvedDependencies: parts.hasAllMaterials },
        ...(spec.reproducible ? { buildkit_reproducible: true } : {}),
      },
    },
  };
}

function predicateV02(spec: ProvenanceSpec, parts: Parts, facts: BuildFacts): object {
  const { path: entryPoint, ...source } = configSource(facts);
  return {
    builder: { id: spec.builderId },
    buildType: BUILD_TYPE,
    materials: parts.materials,
    invocation: {
      configSource: { ...source, entryPoint },
      parameters: parts.parameters,
      environment: { dockerfileVersion: DOCKERFILE_VERSION, platform: formatPlatform(facts.builderPlatform) },
    },
    ...(parts.config === undefined ? {} : { buildConfig: parts.config }),
    metadata: {
      buildInvocationID: facts.invocationId,
      buildStartedOn: goTimeOf(facts.startedAt),
      buildFinishedOn: goTimeOf(facts.finishedAt),
      completeness: { parameters: parts.hasAllParameters, environment: true, materials: parts.hasAllMaterials },
      reproducible: spec.reproducible,
      'https://mobyproject.org/buildkit@v1#metadata': parts.metadata,
    },
  };
}

function partsOf({ mode }: ProvenanceSpec, facts: BuildFacts): Parts {
  const isMax = mode === 'max';
  const { request, vcs = {} } = facts;
  const materials = materialsOf(facts);
  const definition = isMax ? llbDefinition(facts) : undefined;
  const hidden = Object.keys(request.buildArgs).length + Object.keys(request.labels).length > 0;
  return {
    materials,
    parameters: requestParameters(facts, isMax),
    config: definition && { digestMapping: definition.digestMapping, llbDefinition: definition.nodes },
    metadata: {
      ...(Object.keys(vcs).length === 0 ? {} : { vcs }),
      ...(definition === undefined ? {} : { source: sourceOf(definition, facts), layers: layersOf(definition, facts) }),
    },
    hasAllParameters: isMax || !hidden,
    hasAllMaterials: facts.contextOp !== undefined && materials.every(({ digest }) => digest !== undefined),
  };
}

/** Returns the Dockerfile and the lines of each step. */
function sourceOf({ nodes, nodeOf }: LlbDefinition, { graph, loaded, contextOp }: BuildFacts): object {
  const lines = new Map(
    [...nodeOf].flatMap(([step, node]) => {
      const location = graph.steps.get(step)?.location;
      return location === undefined || graph.steps.get(step)?.op.kind === 'image' ? [] : [[node, location] as const];
    }),
  );
  const locations = nodes.slice(0, -1).map(({ id }) => {
    const range = lines.get(id);
    if (range === undefined) return [id, {}];
    return [id, { locations: [{ ranges: [{ start: { line: range.start.line }, end: { line: range.end.line } }] }] }];
  });
  const data = Buffer.from(withoutCredentials(loaded.text)).toString('base64');
  const read = contextOp === undefined ? fileDefinition(loaded.name) : {};
  return {
    locations: Object.fromEntries(locations),
    infos: [{ filename: loaded.name, language: 'Dockerfile', data, ...read }],
  };
}

/** Returns the layers of each step's tree, bottom first. */
function layersOf({ nodeOf }: LlbDefinition, { layersOf: find }: BuildFacts): object {
  const known = [...nodeOf].flatMap(([step, node]) => {
    const layers = find(step);
    if (layers === undefined) return [];
    return [[`${node}:0`, [layers.map(({ mediaType, digest, size }) => ({ mediaType, digest, size }))]]];
  });
  return Object.fromEntries(known);
}

/** References of images have an @ too, but no credentials. */
const IMAGE = /^(?:docker-image|oci-layout):\/\//;

/** Returns the document with credentials removed from every string. */
function documentWithoutCredentials<T extends object>(document: T): T {
  return JSON.parse(JSON.stringify(document), (_, value: unknown) =>
    typeof value === 'string' && !IMAGE.test(value) ? withoutCredentials(value) : value,
  );
}
