import { createHmac } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { baseImageArguments } from '../../support/base-images.ts';
import { ranIn } from '../../support/plain-progress.ts';
import { needs } from '../../support/requirements.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { runStoppedAt } from '../../support/stopped-at.ts';
import { buildGood, good, type InlineBuild, writeFiles } from '../../support/tbuild.ts';

const MOUNTED = 'RUN --mount=type=secret,id=token wc -c < /run/secrets/token > /size';
const files = { Dockerfile: `FROM busybox\nRUN echo before > /before\n${MOUNTED}\nRUN echo after > /after\n` };
const RERUN = [MOUNTED, 'RUN echo after > /after'];
const ran = ({ stderr }: InlineBuild) => ranIn(stderr);
const withToken = (token: string, options = ',rebuild=true', args: readonly string[] = []) => ({
  args: ['--secret', `id=token,env=TOKEN${options}`, ...args],
  env: { TOKEN: token },
});

describe('a secret with rebuild=true', () => {
  test('runs the steps again that mount it when it changes', async () => {
    const store = scratchDirectory('store');
    const build = (token: string, options?: string) => buildGood(files, { store, ...withToken(token, options) });
    await build('first');
    expect(ran(await build('first'))).toEqual([]);
    const changed = await build('second value');
    expect(ran(changed)).toEqual(RERUN);
    expect(changed.tree().readText('/size')).toBe('12\n');
    expect(ran(await build('first'))).toEqual([]);
    // Without it, the value does not count.
    await build('first', '');
    expect(ran(await build('third', ''))).toEqual([]);
    expect(statSync(join(store, 'secret-key')).mode & 0o777).toBe(0o600);
  });

  test('is the same on machines that share a cache and TBUILD_SECRET_KEY', async () => {
    const cache = join(scratchDirectory('cache'), 'made');
    const build = (token: string, key: string | undefined, args: readonly string[]) => {
      const { env, ...asked } = withToken(token, ',rebuild=true', args);
      const keyed: Readonly<Record<string, string>> = key === undefined ? env : { ...env, TBUILD_SECRET_KEY: key };
      return buildGood(files, { store: scratchDirectory('store'), ...asked, env: keyed });
    };
    const from = ['--cache-from', `type=local,src=${cache}`];
    await build('weak', 'shared key', ['--cache-to', `type=local,dest=${cache},mode=max`]);
    expect(ran(await build('weak', 'shared key', from))).toEqual([]);
    expect(ran(await build('other', 'shared key', from))).toEqual(RERUN);
    expect(ran(await build('weak', 'another key', from))).toEqual(RERUN);
    expect(ran(await build('weak', undefined, from))).toEqual(RERUN);
    // Nothing in the cache says what the secret is, not even to who has the key.
    const hash = createHmac('sha256', 'shared key').update('token\0').update('weak').digest('hex');
    for (const text of textsIn(cache)) {
      expect(text).not.toContain('weak');
      expect(text).not.toContain(hash);
      expect(text).not.toContain('shared key');
    }
  });
});

/** Returns the texts of the blobs of a layout. */
function textsIn(directory: string): readonly string[] {
  const blobs = join(directory, 'blobs/sha256');
  return readdirSync(blobs).map((name) => {
    const bytes = readFileSync(join(blobs, name));
    return (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes).toString('latin1');
  });
}

test('two builds that make the first secret key of a store at once use one key', needs('root', 'strace'), async () => {
  const store = scratchDirectory('store');
  const { args, env } = withToken('first');
  const key = (): string => readFileSync(join(store, 'secret-key'), 'utf8');
  let made = '';
  const command = ['build', ...baseImageArguments(), ...args, writeFiles(files)];
  const stop = { call: 'openat', path: join(store, 'secret-key'), store, env };
  const first = await runStoppedAt(stop, command, async () => {
    await buildGood(files, { store, args, env });
    made = key();
  });
  good(first);
  expect(key()).toBe(made);
});
