import type { Plan } from '@tbuild/frontend';
import type { ResultId, StepId } from '@tbuild/graph';
import { goTimeOf, type HistoryEntry, type Image, type Layer } from '@tbuild/oci';
import { baseLayers, type ImageSources } from '@tbuild/sources';
import type { BuildPlan } from '../plan/plan-build.ts';
import type { BuildInputs } from '../session/inputs.ts';
import type { SolvedPlan } from '../solve/open-solving.ts';
import { editImage } from './edit-image.ts';

/** A build whose steps are solved. */
export interface SolvedBuild {
  readonly plan: BuildPlan;
  readonly solved: SolvedPlan;
  readonly inputs: BuildInputs;
}

const COMMENT = 'buildkit.dockerfile.v0';

/** Assembles the image of a plan: the layers and history of the base, then those of the steps. */
export async function assembleImage(
  plan: Plan,
  { plan: { graph }, solved, inputs: { epoch, request } }: SolvedBuild,
  images: Pick<ImageSources, 'content'>,
): Promise<Image> {
  const base = plan.base?.step === undefined ? undefined : graph.steps.get(plan.base.step);
  const layers: Layer[] = base?.op.kind === 'image' ? [...baseLayers(base.op, images)] : [];
  const history: HistoryEntry[] = completeHistory(plan.base?.history ?? [], layers.length);
  for (const { createdBy, step } of plan.history) {
    const entry = { created_by: createdBy, comment: COMMENT };
    if (step === undefined) {
      history.push({ ...entry, empty_layer: true, ...(epoch === undefined ? {} : { created: goTimeOf(epoch) }) });
      continue;
    }
    const result = resultOf(step, solved);
    layers.push(await solved.results.layer(result));
    history.push({ ...entry, created: goTimeOf(epoch ?? solved.createdAt(result)) });
  }
  const dated = fillTimes(history);
  const image = {
    platform: plan.platform,
    config: plan.config,
    layers,
    history: dated,
    author: plan.author,
    created: dated.findLast((entry) => entry.created !== undefined)?.created,
  };
  return editImage(image, request.edits, base);
}

/** Returns the result of a solved step. */
export function resultOf(step: StepId, { steps }: Pick<SolvedPlan, 'steps'>): ResultId {
  const done = steps.get(step);
  if (done === undefined) throw new Error(`Step ${step} was not solved`);
  return done.result;
}

/** Adds the history entries that some base images lack for their layers. */
function completeHistory(history: readonly HistoryEntry[], layers: number): HistoryEntry[] {
  const described = history.filter((entry) => entry.empty_layer !== true).length;
  const missing = Math.max(0, layers - described);
  return [...history, ...Array.from({ length: missing }, () => ({ comment: 'buildkit.exporter.image.v0' }))];
}

/**
 * Dates the entries without a layer as BuildKit does: like the layer before them, and those before the first new layer
 * like that layer.
 */
function fillTimes(history: readonly HistoryEntry[]): HistoryEntry[] {
  let created = firstNewTime(history);
  let inNew = false;
  return history.map((entry) => {
    if (entry.created === undefined) {
      inNew = true;
      return created === undefined ? entry : { ...entry, created };
    }
    if (inNew) created = entry.created;
    return entry;
  });
}

function firstNewTime(history: readonly HistoryEntry[]): string | undefined {
  const firstUndated = history.findIndex((entry) => entry.created === undefined);
  const dated = history.filter((entry) => entry.created !== undefined);
  const next = firstUndated < 0 ? undefined : history.slice(firstUndated).find((entry) => entry.created !== undefined);
  return (next ?? dated.at(-1))?.created;
}
