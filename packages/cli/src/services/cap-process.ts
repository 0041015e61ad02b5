import { createLocalCache } from '@tbuild/cache';
import { createLocalStore, createRefs } from '@tbuild/content';
import { keepWithin } from '@tbuild/gc';
import { createOverlaySnapshotter } from '@tbuild/snapshot';
import { storeLayout } from '@tbuild/store';
import type { CapJob } from './cap-job.ts';

// The entry point of the process that keeps the cache of a store within its limits after a build, see tidyAfterBuild.
const { root, flavour, limits }: CapJob = JSON.parse(process.argv[2] ?? '');
const store = storeLayout(root);
const stores = {
  store,
  content: createLocalStore(root),
  refs: createRefs(store),
  snapshots: createOverlaySnapshotter({ store, flavour }),
  cache: createLocalCache(store.records),
  now: () => Date.now(),
};
void keepWithin(limits, stores);
