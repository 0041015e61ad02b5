import { describe } from 'vitest';
import { executorSuite } from '../testsuite.ts';
import { createChrootExecutor } from './chroot.ts';

// Device nodes take the machine's root.
describe.skipIf(process.getuid?.() !== 0 || process.env['TBUILD_IN_USERNS'] === '1')('with device nodes', () => {
  executorSuite('chroot', {
    flavour: 'trusted',
    contained: false,
    create: (runDirectory) => createChrootExecutor({ runDirectory, flavour: 'trusted' }),
  });
});
