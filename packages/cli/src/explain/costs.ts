import type { Services } from '@tbuild/builder';
import { type BuildRecord, listBuilds, readEvents as eventsOf } from '@tbuild/builds';
import { type Dockerfile, parseDockerfile } from '@tbuild/dockerfile';
import { hasCode } from '@tbuild/errors';
import { findImage, layerSize } from '@tbuild/images';
import { layerSizes, readEvents, type StepFacts } from '@tbuild/report';
import type { Cost } from './explained.ts';

export type CostPorts = Pick<Services, 'store' | 'content' | 'refs' | 'platform'>;

/** How many earlier builds are looked through for the time of a step that was cached since. */
const BUILDS = 20;

/** The costs by line, and the build that tells the sizes. */
export interface Costs {
  readonly build?: BuildRecord;
  at(line: number): Cost;
}

/** Returns what the lines of a Dockerfile cost in recorded builds of a context. Lines that were edited have no cost. */
export async function costsOf(
  dockerfile: Dockerfile,
  { directory, ports, signal }: { readonly directory: string; readonly ports: CostPorts; readonly signal: AbortSignal },
): Promise<Costs> {
  const times = new Map<string, number>();
  const sizes = new Map<string, number>();
  const builds = buildsOf(directory, ports);
  for (const record of builds) {
    const { steps } = readEvents(eventsOf(ports.store, record.id), record.completedAt);
    const keys = keysOf(record);
    const bytes = sizes.size === 0 ? await sizesIn(record, steps, { ports, signal }) : undefined;
    for (const step of steps) {
      const key = keys.get(step.location?.start.line ?? 0);
      if (key === undefined) continue;
      const size = bytes?.get(step.id);
      if (size !== undefined) sizes.set(key, size);
      if (step.outcome === 'built' && !times.has(key))
        times.set(
          key,
          step.runs.reduce((sum, { from, to }) => sum + to - from, 0),
        );
    }
  }
  const known = keysIn(dockerfile);
  return {
    build: builds[0],
    at: (line) => {
      const key = known.get(line) ?? '';
      return { milliseconds: times.get(key), bytes: sizes.get(key) };
    },
  };
}

/** Returns the latest builds of one target from a context. */
function buildsOf(directory: string, { store }: CostPorts): readonly BuildRecord[] {
  const found: BuildRecord[] = [];
  for (const record of listBuilds(store)) {
    const { context }: { readonly context?: { readonly path?: unknown } } = Object(record.requests['']);
    if (context?.path === directory && record.steps.length > 0) found.push(record);
    if (found.length === BUILDS) break;
  }
  return found;
}

/** Returns what names the instructions of a recorded Dockerfile, by line. */
function keysOf({ definitions }: BuildRecord): ReadonlyMap<number, string> {
  const [text = ''] = Object.values(definitions);
  try {
    return keysIn(parseDockerfile(text));
  } catch (error) {
    if (hasCode(error, 'DOCKERFILE_SYNTAX')) return new Map();
    throw error;
  }
}

/** An instruction is the same if its stage and its text are. */
function keysIn({ stages }: Dockerfile): ReadonlyMap<number, string> {
  return new Map(
    stages.flatMap(({ from, name, index, instructions }) =>
      [from, ...instructions].map(({ text, location }) => [location.start.line, `${name ?? index} ${text}`] as const),
    ),
  );
}

/** Returns the sizes of the layers of a build's image by step, if the store has it. */
async function sizesIn(
  { results }: BuildRecord,
  steps: readonly StepFacts[],
  { ports, signal }: { readonly ports: CostPorts; readonly signal: AbortSignal },
): Promise<ReadonlyMap<string, number> | undefined> {
  const { id }: { readonly id?: string } = Object(Object.values(results)[0]);
  if (id === undefined) return undefined;
  try {
    const { image } = findImage(id, ports);
    const commands = image.config.history.filter(({ empty_layer }) => empty_layer !== true);
    const layers = await Promise.all(
      image.manifest.layers.map(async (layer, at) => ({
        createdBy: commands[at]?.created_by ?? '',
        tree: ['', await layerSize(layer, ports, signal), 0] as const,
      })),
    );
    return layerSizes(steps, { layers });
  } catch (error) {
    if (hasCode(error, 'NOT_FOUND')) return undefined;
    throw error;
  }
}
