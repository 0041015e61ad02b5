import { TbuildError } from '@tbuild/errors';
import type { BuildResult } from '../build-result.ts';
import type { Underway } from '../build-run.ts';
import type { CacheExportPorts } from '../cache-transfer/export-caches.ts';
import { warningsOf } from '../plan/plan-request.ts';
import { type BuildToExport, type ExportedResult, type ExportPorts, runExports } from './run-exports.ts';

const SPDX = 'https://spdx.dev/Document';

/** Exports the images to the outputs, and the steps to the requested caches. */
export async function exportImages(
  build: BuildToExport,
  ports: ExportPorts & CacheExportPorts,
  underway: Underway,
): Promise<BuildResult> {
  const { plan, images, provenance, inputs } = build;
  const isCached = inputs.request.cacheTo.length > 0;
  const { digests, ...exported } = await (isCached ? exportWithCaches : runExports)(build, ports, underway);
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

/** Exports the images, and meanwhile what the caches have besides. No cache gets its name before the images do. */
async function exportWithCaches(
  build: BuildToExport,
  ports: ExportPorts & CacheExportPorts,
  underway: Underway,
): Promise<ExportedResult> {
  const { exportCaches } = await import('../cache-transfer/export-caches.ts');
  const failed = new AbortController();
  const images = runExports(build, ports, underway);
  const exported = images.then(
    () => {},
    (cause: unknown) => {
      failed.abort(new TbuildError('CANCELLED', 'The cache was not exported, since the image was not', { cause }));
      throw failed.signal.reason;
    },
  );
  exported.catch(() => {});
  const signal = AbortSignal.any([underway.signal, failed.signal]);
  const caches = exportCaches(build, { ...ports, exported }, { ...underway, signal });
  await Promise.allSettled([images, caches]);
  // A failure of the images is the one to tell.
  const result = await images;
  await caches;
  return result;
}
