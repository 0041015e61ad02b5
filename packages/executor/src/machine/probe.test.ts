import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { needs } from '../../../../test/support/requirements.ts';
import { probeNamespace } from '../index.ts';

const flavour = process.env['TBUILD_IN_USERNS'] === '1' ? 'user' : 'trusted';

test('probeNamespace finds that namespaces work and leaves nothing behind', needs('root'), async () => {
  const runDirectory = mkdtempSync(join(tmpdir(), 'probe-'));
  expect(await probeNamespace({ runDirectory, flavour, now: () => 0 })).toBeUndefined();
  expect(readdirSync(runDirectory)).toEqual([]);
  rmSync(runDirectory, { recursive: true });
});
