import { describe } from 'vitest';
import { needs } from '../../../../test/support/requirements.ts';
import { executorSuite } from '../testsuite/testsuite.ts';
import { createChrootExecutor } from './chroot.ts';

// Making device nodes takes real root.
const mayMakeNodes = { met: process.env['TBUILD_IN_USERNS'] !== '1', lacks: 'the right to make device nodes' };

describe('with device nodes', needs('root', mayMakeNodes), () => {
  executorSuite('chroot', {
    flavour: 'trusted',
    isolated: false,
    create: (runDirectory) => createChrootExecutor({ runDirectory, flavour: 'trusted' }),
  });
});
