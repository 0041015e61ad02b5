import type { ExportedImage } from '@tbuild/exporter';
import type { Plan } from '@tbuild/frontend';
import type { BuildPlan } from '../plan/plan-build.ts';
import type { Session } from '../session/open-session.ts';
import type { SolvedPlan } from '../solve/open-solving.ts';
import { assembleImage, resultOf, type Assembly } from './assemble-image.ts';
import { attestImages } from './attested.ts';

/** Assembles the image of each platform, with the requested attestations. */
export async function assembleImages(
  plan: BuildPlan,
  solved: SolvedPlan,
  session: Session,
): Promise<readonly ExportedImage[]> {
  const assembly = { ...solved, graph: plan.graph, services: session.services, epoch: session.epoch };
  const images = await Promise.all(
    plan.plans.map((each, at) => exportedImage(each, assembly, { request: session.request, at })),
  );
  return attestImages(images, assembly, plan, session);
}

/** The request, and which of its platforms a plan is for. */
interface Asked extends Pick<Session, 'request'> {
  readonly at: number;
}

async function exportedImage(plan: Plan, assembly: Assembly, { request, at }: Asked): Promise<ExportedImage> {
  const { target } = plan;
  const image = await assembleImage(plan, assembly);
  const isInline = request.cacheTo.some(({ type }) => type === 'inline');
  return {
    image: isInline
      ? await (await import('../cache-transfer/export-caches.ts')).withInlineCache(image, plan, assembly)
      : image,
    platform: request.platforms[at],
    baseLayers: plan.base?.diffIds.length,
    baseHistory: plan.base?.history.length,
    async openRootfs() {
      if (target === undefined) return [];
      return (await assembly.results.snapshot(resultOf(target, assembly))).directories;
    },
  };
}
