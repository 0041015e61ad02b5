import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { pushBaseImage } from '../../support/base-images.ts';
import { patiently } from '../../support/patience.ts';
import { type Registry, startRegistry } from '../../support/registry.ts';
import { needs } from '../../support/requirements.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { buildInline, buildGood, type InlineBuild } from '../../support/tbuild.ts';

describe('a base image that was resolved before', needs('registry'), () => {
  let registry: Registry;
  let store: string;
  let base: string;
  beforeEach(async () => {
    registry = await startRegistry();
    store = scratchDirectory('store');
    base = await pushBaseImage('busybox', registry.host);
    await build();
  });
  afterEach(async () => registry[Symbol.asyncDispose]());

  const files = () => ({ Dockerfile: `FROM ${base}\nCOPY --from=${base} /mark* /seen/\n`, mark: 'no\n' });
  const build = (...args: string[]): Promise<InlineBuild> => buildGood(files(), { images: [], store, args });
  const seenBy = ({ tree }: InlineBuild): boolean => tree().entries.has('/seen/mark');

  /** On a loaded machine the registry may need longer than a build waits for it. */
  const untilSeen = (...args: string[]): Promise<void> =>
    vi.waitFor(async () => expect(seenBy(await build(...args))).toBe(true), patiently);

  /** Moves the tag, as another machine does. */
  async function move(): Promise<void> {
    const args = ['--tag', base, '--push'];
    const moved = { Dockerfile: 'FROM busybox\nCOPY mark /mark\n', mark: 'moved\n' };
    await buildGood(moved, { store: scratchDirectory('store'), args });
  }

  test('is asked for again, and taken anew when its tag moved', async () => {
    expect(seenBy(await build())).toBe(false);
    await move();
    await untilSeen();
  });

  test.each([
    ['missing', false],
    ['never', false],
    ['newer', true],
    ['always', true],
    ['true', true],
    ['false', true],
  ])('with --pull=%s after its tag moved', async (policy, isNew) => {
    await move();
    if (isNew) await untilSeen(`--pull=${policy}`);
    else expect(seenBy(await build(`--pull=${policy}`))).toBe(false);
  });

  test('is taken as it was from a registry that is down, with one warning', async () => {
    await registry[Symbol.asyncDispose]();
    const { stderr } = await build();
    expect(stderr.match(/is taken as it was, and may be out of date: Registry .* connection refused/g)).toHaveLength(1);
    expect((await build('--pull=missing')).stderr).not.toContain('warning');
  });

  test('is taken as it was from a registry that does not answer', async () => {
    await registry[Symbol.asyncDispose]();
    const [address, port] = registry.host.split(':');
    const server = createServer(() => {}).listen(Number(port), address);
    const { stderr } = await build();
    server.close();
    expect(stderr).toContain('is taken as it was, and may be out of date: no answer in 2 seconds');
  });

  test('of an unknown name is refused with --pull=never', async () => {
    const unknown = { Dockerfile: `FROM ${registry.host}/other\nCOPY mark /\n`, mark: '' };
    const { exitCode, stderr } = await buildInline(unknown, { images: [], store, args: ['--pull=never'] });
    expect(exitCode).toBe(1);
    expect(stderr).toContain('is not in the store');
    expect(stderr).toContain('Leave out --pull=never');
  });
});
