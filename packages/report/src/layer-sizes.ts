import type { LayerFacts, StepFacts } from './report-data.ts';

/**
 * Returns the sizes of the layers that steps made, by step. The history of an image tells instructions only, so steps
 * are found by their order from the last one up.
 */
export function layerSizes(
  steps: readonly StepFacts[],
  { layers }: { readonly layers: readonly Pick<LayerFacts, 'createdBy' | 'tree'>[] },
): ReadonlyMap<string, number> {
  const sizes = new Map<string, number>();
  const made = [...layers];
  for (const step of chainOf(steps)) {
    const layer = made.at(-1);
    if (layer === undefined) break;
    if (instructionOf(step.name) !== wordOf(layer.createdBy)) continue;
    sizes.set(step.id, layer.tree[1]);
    made.pop();
  }
  return sizes;
}

/** Returns the only step that nothing builds on, its base, the base of that, and so on. */
function chainOf(steps: readonly StepFacts[]): readonly StepFacts[] {
  const byId = new Map(steps.map((step) => [step.id, step]));
  const used = new Set(steps.flatMap(({ inputs }) => inputs));
  const [last, ...others] = steps.filter(({ id, inputs }) => inputs.length > 0 && !used.has(id));
  const chain: StepFacts[] = [];
  for (let step = others.length === 0 ? last : undefined; step !== undefined; step = byId.get(step.inputs[0] ?? ''))
    chain.push(step);
  return chain;
}

/** `[build 2/4] RUN make` */
function instructionOf(name: string): string {
  return wordOf(name.replace(/^\[.*?\] /, ''));
}

function wordOf(text: string): string {
  return /^\w+/.exec(text)?.[0].toUpperCase() ?? '';
}
