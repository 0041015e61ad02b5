import { describe } from 'vitest';
import { needs } from '../../../../test/support/requirements.ts';
import { defineIsolationTests } from './test-isolation.ts';
import { defineLimitTests } from './test-limits.ts';
import { defineMountTests } from './test-mounts.ts';
import { defineProcessTests } from './test-processes.ts';
import { BUSYBOX, createExecutorSuite, type ExecutorUnderTest } from './test-suite-context.ts';

/** Tests the contract of an {@link Executor} with a tree made of the host's static busybox. */
export function executorSuite(name: string, options: ExecutorUnderTest): void {
  describe(`executor ${name}`, needs({ met: BUSYBOX !== undefined, lacks: 'busybox' }), () => {
    const suite = createExecutorSuite(options);
    defineProcessTests(suite);
    defineIsolationTests(suite);
    defineMountTests(suite);
    defineLimitTests(suite);
  });
}
