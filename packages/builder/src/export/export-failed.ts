import { firstOf } from '@tbuild/content';
import { messageOf } from '@tbuild/errors';
import type { ExportedImage, Exporter } from '@tbuild/exporter';
import { hexOf } from '@tbuild/oci';
import type { Snapshotter } from '@tbuild/snapshot';
import type { OutputSpec } from '@tbuild/spec';
import type { FailedTree } from '../build-observer.ts';
import type { PlannedTarget } from '../plan/plan-targets.ts';
import { track } from '../track.ts';

/** Returns whether an output wants files of a failed build. */
export function isForFailure(output: OutputSpec): boolean {
  return output.type === 'local' && (output.when === 'failure' || output.when === 'always');
}

/** Returns whether an output wants files of a build that succeeded. */
export function isForSuccess(output: OutputSpec): boolean {
  return output.type !== 'local' || output.when !== 'failure';
}

/**
 * Writes files of the tree that a failed step left to the outputs that want them. Their failure is a warning: the build
 * has failed already.
 */
export async function exportFailed(
  targets: readonly PlannedTarget[],
  failed: FailedTree | undefined,
  { snapshots }: { readonly snapshots: Pick<Snapshotter, 'stat'> },
): Promise<void> {
  if (failed === undefined) return;
  for (const { session, plan } of targets) {
    const step = plan.graph.steps.get(failed.step);
    if (step?.op.kind !== 'run') continue;
    const { platform } = step.op;
    const openRootfs = async (): Promise<readonly string[]> =>
      (await snapshots.stat(hexOf(failed.tree)))?.directories ?? [];
    const images = [{ image: { platform, config: {}, layers: [], history: [] }, openRootfs }];
    for (const { spec, exporters } of session.outputs)
      if (isForFailure(spec)) for (const exporter of exporters) await exportTree({ images, exporter }, session);
  }
}

interface ToExport {
  readonly images: readonly ExportedImage[];
  readonly exporter: Exporter;
}

async function exportTree(
  { images, exporter }: ToExport,
  { underway, inputs }: PlannedTarget['session'],
): Promise<void> {
  const { progress, signal, now } = underway;
  const name = `${exporter.name}: files of the failed step`;
  const exportable = { images, content: firstOf([]), names: [], isMultiPlatform: false, epoch: inputs.epoch };
  await track({ progress, now }, name, async (report) => {
    try {
      await exporter.export(exportable, report, signal);
    } catch (error) {
      // The build has an error of its own to tell: this one is no second failed step.
      progress.emit({ type: 'warning', message: `Files of the failed step were not written: ${messageOf(error)}` });
    }
  });
}
