import type { BuildResult } from '../build-result.ts';
import type { Underway } from '../build-run.ts';
import type { CacheExportPorts } from '../cache-transfer/export-caches.ts';
import { warningsOf } from '../plan/plan-request.ts';
import { type BuildToExport, type ExportPorts, runExports } from './run-exports.ts';

const SPDX = 'https://spdx.dev/Document';

/** Exports the images to the outputs, and the steps to the requested caches. */
export async function exportImages(
  build: BuildToExport,
  ports: ExportPorts & CacheExportPorts,
  underway: Underway,
): Promise<BuildResult> {
  const { plan, images, provenance, inputs } = build;
  const { digests, ...exported } = await runExports(build, ports, underway);
  if (inputs.request.cacheTo.length > 0)
    await (await import('../cache-transfer/export-caches.ts')).exportCaches(build, ports, underway);
  return {
    ref: inputs.ref,
    images: images.flatMap(({ image }, at) =>
      digests[at] === undefined ? [] : [{ platform: image.platform, ...digests[at] }],
    ),
    ...exported,
    ...(provenance === undefined ? {} : { provenance }),
    sboms: images.flatMap(({ attestations = [] }) =>
      attestations.flatMap(({ predicateType, predicate }) => (predicateType === SPDX ? [predicate] : [])),
    ),
    warnings: warningsOf(plan.plans),
  };
}
