import { createNamespaceExecutor } from '../index.ts';
import { canMountProc } from '../machine/tools.ts';
import { executorSuite } from '../testsuite/testsuite.ts';

// In a user namespace root is not real root, and overlays use user attributes.
const flavour = process.env['TBUILD_IN_USERNS'] === '1' ? 'user' : 'trusted';

for (const setUp of ['calls', 'programs'] as const)
  executorSuite(`namespace (${flavour}), set up by ${setUp}`, {
    flavour,
    ownProc: flavour === 'trusted' || canMountProc(),
    create: (runDirectory) => createNamespaceExecutor({ runDirectory, flavour, now: () => Date.now(), setUp }),
  });
