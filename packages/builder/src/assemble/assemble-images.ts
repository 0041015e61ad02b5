import type { ExportedImage } from '@tbuild/exporter';
import type { Plan } from '@tbuild/frontend';
import type { ImageSources } from '@tbuild/sources';
import type { Underway } from '../build-run.ts';
import { assembleImage, resultOf, type SolvedBuild } from './assemble-image.ts';
import { type AssembledImages, attestImages, type AttestPorts } from './attested.ts';

/** What assembling images uses. */
export type AssemblePorts = Pick<ImageSources, 'content'> & AttestPorts;

/** Assembles the image of each platform, with the requested attestations. */
export async function assembleImages(
  build: SolvedBuild,
  ports: AssemblePorts,
  underway: Underway,
): Promise<AssembledImages> {
  const images = await Promise.all(build.plan.plans.map((plan, at) => exportedImage({ plan, at }, build, ports)));
  return attestImages({ ...build, images }, ports, underway);
}

/** Assembles the image of a plan, which is for the platform `at` of the request. */
async function exportedImage(
  { plan, at }: { readonly plan: Plan; readonly at: number },
  build: SolvedBuild,
  images: Pick<ImageSources, 'content'>,
): Promise<ExportedImage> {
  const { target } = plan;
  const { solved, inputs } = build;
  const image = await assembleImage(plan, build, images);
  const isInline = inputs.request.cacheTo.some(({ type }) => type === 'inline');
  return {
    image: isInline
      ? await (await import('../cache-transfer/export-caches.ts')).withInlineCache(image, plan, build)
      : image,
    platform: inputs.request.platforms[at],
    baseLayers: plan.base?.diffIds.length,
    baseHistory: plan.base?.history.length,
    async openRootfs() {
      if (target === undefined) return [];
      return (await solved.results.snapshot(resultOf(target, solved))).directories;
    },
  };
}
