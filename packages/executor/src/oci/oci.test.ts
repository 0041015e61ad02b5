import { executorSuite } from '../testsuite.ts';
import { createOciExecutor } from './oci.ts';
import { findRuntime } from './find-runtime.ts';
import { describe } from 'vitest';

const flavour = process.env['TBUILD_IN_USERNS'] === '1' ? 'user' : 'trusted';
const runtimes = ['/usr/bin/crun', '/usr/sbin/runc'];

describe.skipIf(findRuntime() === undefined).each(runtimes)('%s', (runtime) => {
  executorSuite(`oci (${runtime})`, {
    flavour,
    create: (runDirectory) => createOciExecutor({ runDirectory, flavour, runtime, now: () => Date.now() }),
  });
});
