import type { Services } from '@tbuild/builder';
import type { Environment } from '../config/environment.ts';
import { type ExecutorChoice, lazyExecutor } from './choose-executor.ts';
import { createStepNetwork, type StepNetworkOptions } from './step-network.ts';

/** What steps run with. */
export interface OpenSteps extends Pick<Services, 'executor' | 'network'> {
  /** Ends both, when all steps have ended. */
  close(): Promise<void>;
}

/** Chooses the executor of steps, and their network, when the first step needs them. */
export function openSteps(choice: ExecutorChoice & StepNetworkOptions, env: Environment): OpenSteps {
  const executor = lazyExecutor(choice, env);
  const { network, close } = createStepNetwork(choice, env);
  return {
    executor: executor.get,
    network,
    async close() {
      await close();
      await executor.close();
    },
  };
}
