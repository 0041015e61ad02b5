import { describe } from 'vitest';
import { needs } from '../../../../test/support/requirements.ts';
import { BUSYBOX, createExecutorSuite, type ExecutorUnderTest } from './executor-suite.ts';
import { defineIsolationTests } from './isolation-tests.ts';
import { defineLimitTests } from './limit-tests.ts';
import { defineMountTests } from './mount-tests.ts';
import { defineProcessTests } from './process-tests.ts';

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
