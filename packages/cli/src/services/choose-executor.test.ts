import { storeLayout } from '@tbuild/store';
import { expect, test } from 'vitest';
import { lazyExecutor } from './choose-executor.ts';

test('An executor that cannot be chosen is not chosen again, so that the second step fails with the same error', async () => {
  const variables = { TBUILD_ISOLATION_VERDICT: 'namespaces are not allowed' };
  const store = storeLayout('/nowhere');
  const executor = lazyExecutor(
    { isolation: 'namespace', store, flavour: 'user', now: () => 0, discard() {}, warn() {} },
    { variables },
  );
  const [first, second] = await Promise.all([0, 1].map(() => executor.get().catch((error: unknown) => error)));
  expect(first).toMatchObject({ code: 'UNSUPPORTED' });
  expect(second).toBe(first);
  await executor.close();
});
