import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { pushBaseImage } from '../../support/base-images.ts';
import { startFaultProxy, type Fault } from '../../support/fault-proxy.ts';
import { needs } from '../../support/requirements.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { sharedService } from '../../support/services.ts';
import { good, runTbuild, writeFiles } from '../../support/tbuild.ts';

describe('mirrors of a registry', needs('registry'), () => {
  let [base, host, path] = ['', '', ''];
  beforeAll(async () => {
    base = await pushBaseImage('busybox', await sharedService('registry'));
    host = base.slice(0, base.indexOf('/'));
    path = base.slice(host.length + 1);
  });
  const run = (args: readonly string[], env: Record<string, string> = {}) =>
    runTbuild(args, { store: scratchDirectory('store'), env: { HOME: scratchDirectory('home'), ...env } });
  const contextFrom = (image: string) => writeFiles({ Dockerfile: `FROM ${image}\nRUN true\n` });

  test('are tried first, and the registry itself when none has the image', async () => {
    const context = contextFrom(`registry.invalid/${path}`);
    good(await run(['build', '--registry-map', `registry.invalid=127.0.0.1:1,${host}`, context]));
    good(await run(['build', context], { TBUILD_REGISTRY_MIRRORS: `registry.invalid=${host}` }));
    good(await run(['build', '--registry-map', `${host}=127.0.0.1:1`, contextFrom(base)]));
  });

  test('are used by pull and imagetools too', async () => {
    const map = ['--registry-map', `registry.invalid=${host}`];
    const name = `registry.invalid/${path}`;
    good(await run(['pull', ...map, name]));
    const shown = good(await run(['imagetools', 'inspect', ...map, name])).stdout;
    expect(shown).toContain(`Name:      ${name}`);
    expect(good(await run(['imagetools', 'create', '--dry-run', ...map, name])).stdout).toContain('manifests');
  });

  test('can be the only source', async () => {
    const args = ['pull', '--registry-map', `${host}=${host}/nothing/here`];
    const { exitCode, stderr } = await run([...args, '--skip-default-registry-fallback', base]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`${host}/nothing/here/${path}: not found`);
    expect((await run([...args, base], { TBUILD_REGISTRY_MIRRORS_ONLY: '1' })).exitCode).toBe(1);
    good(await run([...args, base]));
  });

  test('that serve wrong bytes or break off do no harm', async () => {
    await using bad = await startFaultProxy(host);
    const map = ['--registry-map', `${host}=${bad.host}`];
    const serve = (fault: Fault): void => {
      bad.decide = (line) => (line.startsWith('GET') && line.includes('/blobs/') ? fault : undefined);
    };
    serve({ kind: 'corrupt', at: 200_000 });
    good(await run(['build', ...map, contextFrom(base)]));
    good(await run(['pull', ...map, base]));
    serve({ kind: 'cut-answer', after: 100_000 });
    good(await run(['pull', ...map, base]));
    expect(bad.seen.length).toBeGreaterThan(4);
  });

  test("are found in containers' registries.conf, which may also block a registry", async () => {
    const file = join(scratchDirectory('conf'), 'registries.conf');
    writeFileSync(
      file,
      `[[registry]]\nprefix = "registry.invalid"\nblocked = false\n[[registry.mirror]]\nlocation = "${host}"\n` +
        '[[registry]]\nprefix = "blocked.invalid"\nblocked = true\n',
    );
    const env = { CONTAINERS_REGISTRIES_CONF: file };
    good(await run(['build', contextFrom(`registry.invalid/${path}`)], env));
    const { exitCode, stderr } = await run(['pull', 'blocked.invalid/app'], env);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('blocked.invalid');
    expect(stderr).toContain(file);
    writeFileSync(file, '[[registry]\n');
    const broken = await run(['pull', base], env);
    expect(broken.exitCode).toBe(2);
    expect(broken.stderr).toContain(`Line 1 of ${file} is not valid TOML`);
  });
});
