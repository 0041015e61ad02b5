import { chooseStrategy, isLarge, type PendingLayer } from '@tbuild/layers';
import type { BuildRequest } from '../../request.ts';
import type { StepContext } from '../op-environment.ts';
import { type RememberedCopy, wasDoneBefore } from './copy-memory.ts';
import { sizeOf } from './file-input.ts';
import { circumstancesOf, type LayerWork, startLayer } from './layer-work.ts';
import { factsOf, placeCopy, type Placing } from './place-copy.ts';

/** The layer of a copy that is written while its files are still being read for the key. */
export interface EarlyLayer {
  /** Allows the layer to start, until the signal aborts. */
  allow(signal: AbortSignal): void;
  /** Starts the layer once the files are listed. */
  onListed(copy: RememberedCopy): void;
  /** Returns the layer, or undefined if none was started. */
  pending(): Promise<PendingLayer | undefined>;
  /** Aborts the layer if the files change while they are read. */
  abort(): Promise<void>;
}

type Context = LayerWork &
  Placing &
  Pick<StepContext, 'imageSteps' | 'leafSteps' | 'step'> &
  Pick<BuildRequest, 'cacheFrom'>;

/**
 * Opens the early layer of a step. It starts only for a large copy that almost certainly has to run: the same
 * instruction has not run on this base before, and no imported cache may have its result.
 */
export function openEarlyLayer(context: Context): EarlyLayer {
  const own = new AbortController();
  let signal: AbortSignal | undefined;
  let started: Promise<PendingLayer | undefined> = Promise.resolve(undefined);
  return {
    allow: (until) => void (signal = until),
    onListed(copy) {
      // A failure here also fails the step, which reports it.
      if (signal !== undefined) started = start(copy, context, [signal, own.signal]).catch(() => undefined);
    },
    pending: () => started,
    async abort() {
      own.abort();
      await started;
    },
  };
}

async function start(
  copy: RememberedCopy,
  context: Context,
  signals: readonly AbortSignal[],
): Promise<PendingLayer | undefined> {
  const { imageSteps, step, cacheFrom, services } = context;
  if (!imageSteps.has(step.id) || cacheFrom.length > 0 || copy.selection.unpack || copy.input.owner === 'keep')
    return undefined;
  if (!isLarge(sizeOf(await copy.input.select())) || wasDoneBefore(copy, services)) return undefined;
  const placed = await placeCopy({ ...copy, input: { ...copy.input, hasStableStat: true } }, context);
  if (placed === undefined || signals.some(({ aborted }) => aborted)) return undefined;
  const strategy = chooseStrategy(factsOf(placed, context), circumstancesOf(context, { isKeyed: false }));
  return startLayer(placed, strategy, { ...context, signal: AbortSignal.any([...signals]) });
}
