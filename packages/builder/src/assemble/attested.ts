import { randomBytes } from 'node:crypto';
import type { BuildFacts } from '@tbuild/attest';
import type { ExportedImage } from '@tbuild/exporter';
import type { Plan } from '@tbuild/frontend';
import { graphOf, type StepId } from '@tbuild/graph';
import type { Descriptor } from '@tbuild/oci';
import type { BuildPlan } from '../plan/plan-build.ts';
import { mainSource } from '../session/fetch-context.ts';
import type { Session } from '../session/open-session.ts';
import { vcsOf } from '../session/vcs.ts';
import { resultOf, type Assembly } from './assemble-image.ts';

/** Returns the images with the requested attestations. */
export async function attestImages(
  images: readonly ExportedImage[],
  assembly: Assembly,
  { plans, scans }: BuildPlan,
  session: Session,
): Promise<readonly ExportedImage[]> {
  const { attestations: specs, tags } = session.request;
  if (specs === undefined) return images;
  const { services, epoch, results } = assembly;
  const now = services.now();
  // Loaded only for builds with attestations.
  const { attest } = await import('@tbuild/attest');
  return attest(images, {
    specs,
    facts: specs.provenance === undefined ? [] : await factsOf(images, plans, { assembly, session, now }),
    tags,
    flavour: services.flavour,
    scans,
    directoriesOf: async (step) => (await results.snapshot(resultOf(step, assembly))).directories,
    now,
    epoch,
    progress: session.progress,
    signal: session.signal,
  });
}

interface Finished {
  readonly assembly: Assembly;
  readonly session: Session;
  readonly now: number;
}

async function factsOf(
  images: readonly ExportedImage[],
  plans: readonly Plan[],
  { assembly, session, now: finishedAt }: Finished,
): Promise<readonly BuildFacts[]> {
  const { given, loaded, sources, startedAt } = session;
  const common = {
    request: given,
    loaded,
    contextOp: mainSource(given),
    resolvedSource: sources.get,
    vcs: await vcsOf(given, session),
    invocationId: invocationId(),
    builderPlatform: assembly.services.platform,
    startedAt,
    finishedAt,
  };
  return plans.map((plan, at) => {
    const { target } = plan;
    const layers = layersByStep(plan, images[at]);
    const graph = graphOf(assembly.graph, target === undefined ? [] : [target]);
    return { ...common, graph, target, layersOf: (step: StepId) => layers.get(step) };
  });
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

/** Returns 25 digits and letters, as BuildKit's IDs have. */
function invocationId(): string {
  return BigInt(`0x${randomBytes(17).toString('hex')}`)
    .toString(36)
    .padStart(25, '0')
    .slice(-25);
}
