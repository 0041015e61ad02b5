import type { ExportedImage } from '@tbuild/exporter';
import type { BuildResult } from '../build-result.ts';
import type { BuildPlan } from '../plan/plan-build.ts';
import { warningsOf } from '../plan/plan-request.ts';
import type { Session } from '../session/open-session.ts';
import type { SolvedPlan } from '../solve/open-solving.ts';
import { runExports } from './run-exports.ts';

/** The build that the images come from. */
export interface Built {
  readonly plan: BuildPlan;
  readonly solved: SolvedPlan;
  readonly session: Session;
}

/** Exports the images to the outputs, and the steps to the requested caches. */
export async function exportImages(
  images: readonly ExportedImage[],
  { plan, solved, session }: Built,
): Promise<BuildResult> {
  const { layers } = session.imported;
  const { digests, ...exported } = await runExports(images, plan.graph, {
    ...session,
    layers,
    prepared: solved.prepared,
  });
  if (session.request.cacheTo.length > 0) {
    const { exportCaches } = await import('../cache-transfer/export-caches.ts');
    await exportCaches({ ...solved, graph: plan.graph, services: session.services }, plan.plans, {
      ...session,
      layers,
    });
  }
  return {
    images: images.flatMap(({ image }, at) =>
      digests[at] === undefined ? [] : [{ platform: image.platform, ...digests[at] }],
    ),
    ...exported,
    warnings: warningsOf(plan.plans),
  };
}
