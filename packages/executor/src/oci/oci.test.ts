import { describe } from 'vitest';
import { needs } from '../../../../test/support/requirements.ts';
import { executorSuite } from '../testsuite/testsuite.ts';
import { findRuntime } from './find-runtime.ts';
import { createOciExecutor } from './oci.ts';

const flavour = process.env['TBUILD_IN_USERNS'] === '1' ? 'user' : 'trusted';
const runtimes = ['/usr/bin/crun', '/usr/sbin/runc'];

const hasRuntime = { met: findRuntime() !== undefined, lacks: 'an OCI runtime' };

describe.each(runtimes)('%s', needs(hasRuntime), (runtime) => {
  executorSuite(`oci (${runtime})`, {
    flavour,
    create: (runDirectory) => createOciExecutor({ runDirectory, flavour, runtime, now: () => Date.now() }),
  });
});
