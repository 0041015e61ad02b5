import type { BuildFacts } from '@tbuild/attest';
import { buildId } from '@tbuild/builds';
import type { ExportedImage } from '@tbuild/exporter';
import type { Plan } from '@tbuild/frontend';
import { graphOf, type StepId } from '@tbuild/graph';
import type { Descriptor, Platform } from '@tbuild/oci';
import type { OverlayFlavour } from '@tbuild/snapshot';
import type { GitRemote } from '@tbuild/sources';
import type { RecordedProvenance } from '../build-result.ts';
import type { Underway } from '../build-run.ts';
import type { BuildRequest } from '../request.ts';
import { mainSource } from '../session/fetch-context.ts';
import { vcsOf } from '../session/vcs.ts';
import { resultOf, type SolvedBuild } from './assemble-image.ts';

/** A build with its images. */
export interface AssembledBuild extends SolvedBuild, AssembledImages {}

export interface AssembledImages {
  readonly images: readonly ExportedImage[];
  /** The provenance of each image, if the caller asked for it. */
  readonly provenance?: readonly RecordedProvenance[];
}

/** What attestations use. */
export interface AttestPorts extends Pick<GitRemote, 'runProgram'> {
  /** Platform of this machine. */
  readonly platform: Platform;
  readonly flavour: OverlayFlavour;
}

/** Returns the images with the requested attestations, and their provenance for the caller. */
export async function attestImages(
  build: AssembledBuild,
  ports: AttestPorts,
  underway: Underway,
): Promise<AssembledImages> {
  const { images, plan, solved, inputs } = build;
  const { tags, attestations: specs = {} } = inputs.request;
  if (inputs.request.attestations === undefined && !inputs.withProvenance) return { images };
  const { progress, signal } = underway;
  const now = underway.now();
  // Loaded only for builds with attestations.
  const { attest, provenance } = await import('@tbuild/attest');
  const needsFacts = specs.provenance !== undefined || inputs.withProvenance;
  const facts = needsFacts ? await factsOf(build, ports, { signal, finishedAt: now }) : [];
  const attested = await attest(images, {
    specs,
    facts,
    tags,
    flavour: ports.flavour,
    scans: plan.scans,
    directoriesOf: async (step) => (await solved.results.snapshot(resultOf(step, solved))).directories,
    now,
    epoch: inputs.epoch,
    progress,
    signal,
  });
  return {
    images: attested,
    ...(inputs.withProvenance
      ? {
          provenance: images.flatMap(({ platform, image }, at) => {
            const own = facts[at];
            const predicate = own && provenance(RECORDED, own);
            return predicate === undefined ? [] : [{ platform: platform ?? image.platform, predicate }];
          }),
        }
      : {}),
  };
}

/** BuildKit records the provenance of a build in this form. */
const RECORDED = {
  mode: 'max',
  version: 'v0.2',
  filename: 'provenance.json',
  builderId: '',
  reproducible: false,
} as const;

async function factsOf(
  { images, plan, inputs }: AssembledBuild,
  { platform: builderPlatform, runProgram }: AttestPorts,
  { signal, finishedAt }: Pick<Underway, 'signal'> & Pick<BuildFacts, 'finishedAt'>,
): Promise<readonly BuildFacts[]> {
  const { ref, given, loaded, sources, startedAt } = inputs;
  const common = {
    request: withoutTargets(given),
    loaded,
    contextOp: mainSource(given),
    resolvedSource: sources.get,
    vcs: given.gitInfo ? await vcsOf(given, { runProgram, signal }) : undefined,
    invocationId: buildId(ref),
    builderPlatform,
    startedAt,
    finishedAt,
  };
  return plan.plans.map((each, at) => {
    const { target } = each;
    const layers = layersByStep(each, images[at]);
    const graph = graphOf(plan.graph, target === undefined ? [] : [target]);
    return { ...common, graph, target, layersOf: (step: StepId) => layers.get(step) };
  });
}

/** Leaves out contexts that are other targets: their steps are in the graph as the image's own are. */
function withoutTargets({ namedContexts, ...request }: BuildRequest): BuildFacts['request'] {
  const others = Object.entries(namedContexts).flatMap(([name, spec]) =>
    spec.kind === 'target' ? [] : [[name, spec] as const],
  );
  return { ...request, namedContexts: Object.fromEntries(others) };
}

/** Returns the layers of the trees that the image's own are made of. */
function layersByStep(
  { base, history }: Plan,
  exported: ExportedImage | undefined,
): ReadonlyMap<StepId, readonly Descriptor[]> {
  const layers = exported?.image.layers.map(({ descriptor }) => descriptor) ?? [];
  let count = base?.diffIds.length ?? 0;
  const found = new Map<StepId, readonly Descriptor[]>();
  if (base?.step !== undefined) found.set(base.step, layers.slice(0, count));
  for (const { step } of history) if (step !== undefined) found.set(step, layers.slice(0, (count += 1)));
  return found;
}
