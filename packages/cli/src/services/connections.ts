import type { Services } from '@tbuild/builder';
import type { RegistryClient, WebClient } from '@tbuild/registry';
import type { Environment } from '../config/environment.ts';
import type { RegistryOptions } from '../config/registries/registry-rules.ts';
import { createEngines } from './engines.ts';
import type { ShowWait } from './waiting-clock.ts';

export interface ConnectionOptions {
  readonly registries: RegistryOptions;
  readonly showWait?: ShowWait;
}

type Connections = Pick<Services, 'openRepository' | 'openWeb' | 'openBucket' | 'engines' | 'close'>;

/** Creates the connections of one command to registries, other servers and engines. Loads their clients with the first use. */
export function createConnections({ registries, showWait }: ConnectionOptions, env: Environment): Connections {
  let registry: RegistryClient | undefined;
  let web: WebClient | undefined;
  const engines = createEngines(env);
  const open = async (): Promise<WebClient> => {
    const { openWeb } = await import('./open-registry.ts');
    return (web ??= openWeb(registries, env, showWait));
  };
  return {
    engines,
    async openRepository(reference, access) {
      const { openRegistry } = await import('./open-registry.ts');
      registry ??= openRegistry(registries, env, { showWait });
      return registry.openRepository(reference, access);
    },
    openWeb: open,
    async openBucket(place) {
      const { openBucket } = await import('./open-bucket.ts');
      return openBucket(place, await open(), env);
    },
    async close() {
      await registry?.[Symbol.asyncDispose]();
      await web?.[Symbol.asyncDispose]();
      await engines.close();
    },
  };
}
