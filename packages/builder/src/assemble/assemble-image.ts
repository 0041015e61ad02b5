import type { Plan } from '@tbuild/frontend';
import type { Graph, ResultId, StepId } from '@tbuild/graph';
import { goTimeOf, type HistoryEntry, type Image, type Layer } from '@tbuild/oci';
import { baseLayers } from '@tbuild/sources';
import type { Services } from '../services.ts';
import type { SolvedPlan } from '../solve/open-solving.ts';

/** The inputs of an image's assembly. */
export interface Assembly extends SolvedPlan {
  readonly graph: Graph;
  readonly services: Pick<Services, 'content' | 'platform' | 'flavour' | 'now'>;
  /** `SOURCE_DATE_EPOCH` in milliseconds: the time of the history's new entries. */
  readonly epoch?: number;
}

const COMMENT = 'buildkit.dockerfile.v0';

/** Assembles the image of a plan: the layers and history of the base, then those of the steps. */
export async function assembleImage(plan: Plan, assembly: Assembly): Promise<Image> {
  const base = plan.base?.step === undefined ? undefined : assembly.graph.steps.get(plan.base.step);
  const layers: Layer[] = base?.op.kind === 'image' ? [...baseLayers(base.op, assembly.services)] : [];
  const history: HistoryEntry[] = completeHistory(plan.base?.history ?? [], layers.length);
  for (const { createdBy, step } of plan.history) {
    const { epoch } = assembly;
    const entry = { created_by: createdBy, comment: COMMENT };
    if (step === undefined) {
      history.push({ ...entry, empty_layer: true, ...(epoch === undefined ? {} : { created: goTimeOf(epoch) }) });
      continue;
    }
    const result = resultOf(step, assembly);
    layers.push(await assembly.results.layer(result));
    history.push({ ...entry, created: goTimeOf(epoch ?? assembly.createdAt(result)) });
  }
  const dated = fillTimes(history);
  return {
    platform: plan.platform,
    config: plan.config,
    layers,
    history: dated,
    author: plan.author,
    created: dated.findLast((entry) => entry.created !== undefined)?.created,
  };
}

/** Returns the result of a solved step. */
export function resultOf(step: StepId, { solved }: Pick<Assembly, 'solved'>): ResultId {
  const done = solved.get(step);
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
