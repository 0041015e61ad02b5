import type { BuildRequest, Services } from '@tbuild/builder';
import { hasCode, TbuildError } from '@tbuild/errors';
import { createIsolatedNetwork } from '@tbuild/executor';
import type { StoreLayout } from '@tbuild/store';
import type { Environment } from '../config/environment.ts';
import type { ExecutorChoice } from './choose-executor.ts';

export interface StepNetworkOptions extends Pick<ExecutorChoice, 'isolation'> {
  readonly store: Pick<StoreLayout, 'run'>;
  /** Ports of the machine's loopback that steps may use. */
  readonly loopbackPorts?: readonly number[];
  /** Receives once a warning if steps use the machine's network. With chroot they are known to do so. */
  readonly warn: (message: string) => void;
}

/** The network of a build's steps, which ends with the build. */
export interface ClosableNetwork {
  readonly network: Services['network'];
  close(): Promise<void>;
}

/** Creates the isolated network of a build's steps. Where it cannot be had, they use the machine's. */
export function createStepNetwork(
  { isolation, store, loopbackPorts = [], warn }: StepNetworkOptions,
  env: Environment,
): ClosableNetwork {
  const isolated = createIsolatedNetwork({ runDirectory: store.run, loopbackPorts });
  const isChroot = isolation === 'chroot' || Boolean(env.variables.TBUILD_ISOLATION_VERDICT);
  let hasWarned = isChroot;
  return {
    network: {
      start: isolated.start,
      async join({ isRequired, signal }) {
        try {
          return await isolated.join(signal);
        } catch (error) {
          if (!hasCode(error, 'UNSUPPORTED')) throw error;
          if (isRequired) throw refused(error);
          if (!hasWarned) warn('RUN steps use the network of this machine: "tbuild doctor" says why');
          hasWarned = true;
          return undefined;
        }
      },
    },
    close: isolated.close,
  };
}

function refused({ message, hint }: TbuildError): TbuildError {
  return new TbuildError('UNSUPPORTED', `RUN steps cannot have a network of their own: ${message}`, { hint });
}

/**
 * Returns the ports of proxies on the machine's loopback that requests pass to steps, which reach them at the same
 * address.
 */
export function loopbackProxyPorts(requests: readonly Pick<BuildRequest, 'buildArgs'>[]): readonly number[] {
  const values = requests.flatMap(({ buildArgs }) =>
    Object.entries(buildArgs).flatMap(([name, value]) => (/^(?:https?|ftp|all)_proxy$/i.test(name) ? [value] : [])),
  );
  return [...new Set(values.flatMap(loopbackPort))].sort((a, b) => a - b);
}

const LOOPBACK = /^(?:localhost|127\.0\.0\.1|\[::1\])$/i;
const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

function loopbackPort(proxy: string): readonly number[] {
  const url = URL.parse(proxy.includes('://') ? proxy : `http://${proxy}`);
  if (url === null || !LOOPBACK.test(url.hostname)) return [];
  const port = url.port === '' ? DEFAULT_PORTS[url.protocol] : Number(url.port);
  return port === undefined ? [] : [port];
}
