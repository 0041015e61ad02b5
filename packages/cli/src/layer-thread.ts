import { parentPort, workerData } from 'node:worker_threads';
import { doLayerJob } from '@tbuild/builder';

// A thread of its own, see createLayerThread.
parentPort?.postMessage(doLayerJob(workerData));
