import { createLocalStore } from '@tbuild/content';
import type { Step } from '@tbuild/graph';
import { digestOf } from '@tbuild/oci';
import { storeLayout } from '@tbuild/store';
import type { PlacedCopy } from '@tbuild/copy';
import type { PendingLayer } from '@tbuild/layers';

const step: Step = {
  id: digestOf('step'),
  op: { kind: 'mkdir', path: '/', mode: 0o755, user: '' },
  sources: [],
  name: 'COPY',
  noCache: false,
};

export interface Wanted {
  readonly needsBytes?: boolean;
  readonly isIdle?: boolean;
  readonly isTopmost?: boolean;
  /** What outputs do once the layer is there. */
  prepare?(): Promise<void>;
}

/** Of the store in `root`: what a layer process that is busy or not was asked, and what was prepared. */
export function asideOf(root: string, coming: Required<PendingLayer> | undefined, wanted: Wanted = {}) {
  const { needsBytes = true, isIdle = true, isTopmost = true, prepare = async () => {} } = wanted;
  const [asked, added]: [{ readonly signal: AbortSignal; readonly keep: boolean }[], PendingLayer[]] = [[], []];
  const [own, build] = [new AbortController(), new AbortController()];
  const start = (_: PlacedCopy, signal: AbortSignal, { keep }: { readonly keep: boolean }) => {
    asked.push({ signal, keep });
    return coming;
  };
  const preparation = {
    isWanted: true,
    needsBytes,
    isIdle: () => isIdle,
    signal: build.signal,
    add(each: PendingLayer) {
      added.push(each);
      return prepare();
    },
    settled: async () => {},
  };
  const worker = {
    layerProcess: { start, stop: async () => {} },
    content: createLocalStore(root),
    store: storeLayout(root),
  };
  const topmost = new Set(isTopmost ? [step.id] : []);
  return { env: { worker, preparation, topmost, step, signal: own.signal }, asked, added, step: own, build };
}
