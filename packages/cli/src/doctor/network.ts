import { hasCode } from '@tbuild/errors';
import { createIsolatedNetwork } from '@tbuild/executor';
import type { Finding } from './finding.ts';

/** Finds out whether steps can have a network of their own, by making one, which takes about 50 ms. */
export async function network(runDirectory: string): Promise<Finding> {
  const name = 'network of RUN';
  const isolated = createIsolatedNetwork({ runDirectory, loopbackPorts: [] });
  try {
    await isolated.join();
    return { name, state: 'good', detail: 'one of their own, which reaches outside through pasta' };
  } catch (error) {
    if (!hasCode(error, 'UNSUPPORTED')) throw error;
    const { message, hint } = error;
    const reached = 'steps reach services on its loopback addresses and its abstract sockets';
    return { name, state: 'limited', detail: `that of this machine, since ${message}: ${reached}`, fix: hint };
  } finally {
    await isolated.close();
  }
}
