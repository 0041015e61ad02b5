import type { WaitLimits } from '@tbuild/registry';
import { parseSize, parseSpan } from '../../flags/sizes.ts';
import type { Environment } from '../environment.ts';
import type { RegistryOptions } from './registry-rules.ts';

/**
 * Reads how long to wait for servers. Options win over the environment.
 * @throws TbuildError USAGE
 */
export function waitLimits(
  options: Pick<RegistryOptions, 'minDownloadRate' | 'serverTimeout'>,
  variables: Environment['variables'],
): WaitLimits {
  const rate = options.minDownloadRate ?? (variables.TBUILD_MIN_DOWNLOAD_RATE || undefined);
  const timeout = options.serverTimeout ?? (variables.TBUILD_SERVER_TIMEOUT || undefined);
  const rateName = options.minDownloadRate === undefined ? 'TBUILD_MIN_DOWNLOAD_RATE' : '--min-download-rate';
  const timeoutName = options.serverTimeout === undefined ? 'TBUILD_SERVER_TIMEOUT' : '--server-timeout';
  return {
    leastRate: rate === undefined ? undefined : leastRate(rate, rateName),
    idleTimeoutMs: timeout === undefined ? undefined : parseSpan(timeout, timeoutName),
  };
}

/** Reads `SIZE[/SPAN]`. */
function leastRate(text: string, name: string): WaitLimits['leastRate'] {
  const [size = '', ...span] = text.split('/');
  return {
    bytesPerSecond: parseSize(size, name),
    overMs: parseSpan(span.length === 0 ? '30s' : span.join('/'), name),
  };
}
