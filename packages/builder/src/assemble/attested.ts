import type { BuildFacts, PlannedScan } from '@tbuild/attest';
import type { ExportedImage } from '@tbuild/exporter';
import type { Progress } from '@tbuild/progress';
import type { BuildRequest } from '../request.ts';
import { resultOf, type Assembly } from './assemble-image.ts';

/** The facts for attestations that are known before the build ends. */
export interface AttestedFacts extends Pick<BuildFacts, 'loaded' | 'startedAt'> {
  readonly request: BuildRequest;
  readonly scans: readonly PlannedScan[];
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** Returns the images with the requested attestations. */
export async function attestImages(
  images: readonly ExportedImage[],
  assembly: Assembly,
  { scans, progress, signal, ...facts }: AttestedFacts,
): Promise<readonly ExportedImage[]> {
  const { attestations, tags } = facts.request;
  if (attestations === undefined) return images;
  const { graph, services, epoch, results } = assembly;
  // Loaded only for builds with attestations.
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
