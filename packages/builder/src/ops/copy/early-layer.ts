import type { PendingLayer } from '@tbuild/layers';
import type { Worker } from '../../worker.ts';
import { type RememberedCopy, wasDoneBefore } from './copy-memory.ts';
import type { StepContext } from '../op-environment.ts';
import { type Aside, isLargeCopy, placeCopy, type Placing, writeAside } from './place-copy.ts';

/** The layer of a copy that is being written while the files are still being read for the key. */
export interface EarlyLayer {
  /** Undefined where none was begun. */
  coming(): Promise<PendingLayer | undefined>;
  /** For a step that turns out not to need it. What is being made for it, such as the tree of the base, is made. */
  giveUp(): void;
}

interface Context extends Aside, Placing, Pick<StepContext, 'layered' | 'cacheFrom'> {
  readonly worker: Pick<Worker, 'layerProcess' | 'store' | 'content' | 'flavour'>;
}

/**
 * Begins the layer of a large copy as soon as its files are listed, where the step is as good as certain to run: nobody has done
 * the instruction on this base before, and no cache of somebody else's may have its result. It is only right if the files turn out to be settled.
 */
export function beginEarlyLayer(copy: RememberedCopy, context: Context): EarlyLayer {
  const givenUp = new AbortController();
  const signal = AbortSignal.any([context.signal, givenUp.signal]);
  // Whatever hinders it also hinders the step, which says so.
  const begun = begin(copy, { ...context, signal }).catch(() => undefined);
  return {
    coming: () => begun,
    giveUp: () => givenUp.abort(),
  };
}

async function begin(copy: RememberedCopy, context: Context): Promise<PendingLayer | undefined> {
  const { layered, step, cacheFrom, worker, signal } = context;
  if (!layered.has(step.id) || cacheFrom.length > 0 || copy.selection.unpack || copy.input.owner === 'keep')
    return undefined;
  if (!isLargeCopy(await copy.input.select()) || wasDoneBefore(copy, worker)) return undefined;
  const placed = await placeCopy({ ...copy, input: { ...copy.input, isSettled: true } }, context);
  return signal.aborted ? undefined : writeAside(placed, context);
}
