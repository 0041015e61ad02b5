import { readFileSync, writeSync } from 'node:fs';
import { doLayerJob } from '@tbuild/layers';
import { dieWithParent } from '@tbuild/linux';

// A program of its own, see createLayerSubprocess.
dieWithParent(Number(process.argv[2]));
writeSync(1, doLayerJob(readFileSync(0)));
