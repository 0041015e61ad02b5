import { executorSuite } from '../testsuite.ts';
import { createChrootExecutor } from './chroot.ts';

const flavour = process.env['TBUILD_IN_USERNS'] === '1' ? 'user' : 'trusted';

executorSuite('chroot', { flavour, contained: false, create: (runDirectory) => createChrootExecutor({ runDirectory, flavour }) });
