import type { BuildFacts, PlannedScan } from '@tbuild/attest';
import type { ExportedImage } from '@tbuild/exporter';
import type { Progress } from '@tbuild/progress';
import { resultOf, type Assembly } from './assemble-image.ts';
import type { BuildRequest } from '../request.ts';

/** What attestations tell of that is known by now. */
export interface AttestedFacts extends Pick<BuildFacts, 'loaded' | 'startedAt'> {
  readonly request: BuildRequest;
  readonly scans: readonly PlannedScan[];
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** Images with what is to be said about them. */
export async function attestImages(
  images: readonly ExportedImage[],
  assembly: Assembly,
  { scans, progress, signal, ...facts }: AttestedFacts,
): Promise<readonly ExportedImage[]> {
  const { attestations, tags } = facts.request;
  if (attestations === undefined) return images;
  const { graph, services, epoch, results } = assembly;
  // Loaded only for a build that asks for attestations.
  const { attest } = await import('@tbuild/attest');
  return attest(images, {
    specs: attestations,
    facts: { ...facts, graph, builderPlatform: services.platform, finishedAt: services.now() },
    tags,
    flavour: services.flavour,
    scans,
    directoriesOf: async (step) => (await results.snapshot(resultOf(step, assembly))).directories,
    epoch,
    progress,
    signal,
  });
}
