import { availableParallelism, loadavg } from 'node:os';

const variable = 'TBUILD_TEST_PATIENCE';

/**
 * The factor by which everything may take longer than on an idle machine: the number of processes per processor
 * when the run starts, at least 1. `TBUILD_TEST_PATIENCE` sets another factor; the run passes it on to its workers.
 */
export const patience: number = Number(process.env[variable]) || Math.max(1, loadavg()[0]! / availableParallelism());

process.env[variable] = String(patience);

/** Options of `vi.waitFor` for an effect of another program. */
export const patiently = { timeout: 60_000 * patience, interval: 50 };
