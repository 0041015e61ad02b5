import { expect, test } from 'vitest';
import { waitLimits } from './wait-limits.ts';

test('options win over the environment', () => {
  const variables = { TBUILD_MIN_DOWNLOAD_RATE: '5k', TBUILD_SERVER_TIMEOUT: '1m' };
  expect(waitLimits({}, variables)).toEqual({
    leastRate: { bytesPerSecond: 5000, overMs: 30_000 },
    idleTimeoutMs: 60_000,
  });
  expect(waitLimits({ minDownloadRate: '0/1m', serverTimeout: '1.005s' }, variables)).toEqual({
    leastRate: { bytesPerSecond: 0, overMs: 60_000 },
    idleTimeoutMs: 1005,
  });
});

test.each([
  [{}, { TBUILD_SERVER_TIMEOUT: 'soon' }, 'Invalid TBUILD_SERVER_TIMEOUT "soon"'],
  [{ serverTimeout: 'soon' }, {}, 'Invalid --server-timeout "soon"'],
  [{}, { TBUILD_MIN_DOWNLOAD_RATE: 'slow' }, 'Invalid TBUILD_MIN_DOWNLOAD_RATE "slow"'],
  [{ minDownloadRate: '1k/soon' }, {}, 'Invalid --min-download-rate "soon"'],
])('an error names what was set: %j %j', (options, variables, message) => {
  expect(() => waitLimits(options, variables)).toThrow(message);
});
