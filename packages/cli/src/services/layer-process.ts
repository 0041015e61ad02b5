import { readFileSync, writeSync } from 'node:fs';
import { doLayerJob } from '@tbuild/layers';
import { dieWithParent } from '@tbuild/linux';

// The entry point of the subprocess that writes layers, see createLayerSubprocess.
dieWithParent(Number(process.argv[2]));
writeSync(1, doLayerJob(readFileSync(0)));
