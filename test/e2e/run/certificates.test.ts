import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BaseImageName } from '../../support/base-images.ts';
import { builders } from '../../support/builders.ts';
import { makeAuthority } from '../../support/certificate.ts';
import { isolations } from '../../support/isolations.ts';
import { readLayer } from '../../support/layout.ts';
import { needs } from '../../support/requirements.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import {
  buildContext,
  buildGood,
  buildInline,
  good,
  writeFiles,
  type InlineBuildOptions,
} from '../../support/tbuild.ts';
import { treeOfLayers } from '../../support/tree.ts';

let server: Server;
let authority: string;
let url: string;
beforeAll(async () => {
  const directory = scratchDirectory('authority');
  const at = (name: string) => ({ key: join(directory, `${name}.key`), certificate: join(directory, `${name}.crt`) });
  await makeAuthority(at('ca'), at('server'));
  authority = at('ca').certificate;
  const tls = { key: readFileSync(at('server').key), cert: readFileSync(at('server').certificate) };
  server = createServer(tls, (_, response) => response.end('trusted\n')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
afterAll(() => void server.close());

/** The server is on the machine's loopback. */
const ON_HOST = ['--network', 'host'];
const trusting = (options: InlineBuildOptions & { image: BaseImageName }): InlineBuildOptions => ({
  ...options,
  images: [options.image],
  args: [...ON_HOST, '--ca', authority, ...(options.args ?? [])],
});
/** Nothing of the authority, and no variable for it, may be in an image. */
const expectNoTrace = ({ layout, manifest, config }: ReturnType<Awaited<ReturnType<typeof buildGood>>['image']>) => {
  const [, body = ''] = readFileSync(authority, 'utf8').split('\n');
  for (const layer of manifest.layers.slice(1)) {
    const bytes = Buffer.from(readLayer(layout, layer));
    for (const word of [body, 'tbuild-ca', 'Added by tbuild']) expect(bytes.includes(word), word).toBe(false);
  }
  expect(JSON.stringify(config)).not.toMatch(/CERT|CA_|CAINFO|tbuild-ca/);
};

const PYTHON = `python3 -c 'import urllib.request as u; print(u.urlopen("URL").read().decode().strip())'`;
const NODE = `node -e 'fetch("URL").then((a) => a.text()).then((t) => console.log(t.trim()))'`;
const unsetAll = `for name in $(env | grep =/dev/tb | cut -d = -f 1); do unset $name; done`;

describe.each(builders)('--ca for the steps of $who', ({ asUser }) => {
  test('is what curl and Python trust, with and without the variables', async () => {
    const run = `{ curl -sS ${url} && ${PYTHON.replace('URL', url)}; ${unsetAll}; curl -sS ${url} && ${PYTHON.replace('URL', url)}; } > /seen`;
    const files = { Dockerfile: `FROM debian-python\nRUN ${run}\n` };
    const build = await buildGood(files, trusting({ image: 'debian-python', asUser }));
    expect(build.tree().readText('/seen')).toBe('trusted\n'.repeat(4));
    expectNoTrace(build.image());
    expect([...build.tree().entries.keys()].filter((path) => path.includes('tbuild-ca'))).toEqual([]);
  });

  test('is what Node trusts, in an image without certificates', async () => {
    const run = `${NODE.replace('URL', url)} > /seen && grep -c BEGIN /etc/ssl/certs/ca-certificates.crt >> /seen`;
    const files = {
      Dockerfile: `FROM node\nRUN ${run}\nRUN rm /etc/ssl/certs/ca-certificates.crt\nRUN ls -R /etc/ssl > /list\n`,
    };
    const build = await buildGood(files, trusting({ image: 'node', asUser }));
    expect(build.tree().readText('/seen')).toBe('trusted\n1\n');
    expectNoTrace(build.image());
    const [, , removal] = build.image().manifest.layers;
    expect(String(readLayer(build.image().layout, removal!))).not.toContain('ca-certificates.crt');
  });
});

describe('--ca', needs('root'), () => {
  test('lets a step replace, append to and remove the bundle, and leaves only what the step did', async () => {
    const context = writeFiles({
      Dockerfile: `FROM debian-python
RUN cp /etc/ssl/certs/ca-certificates.crt /dev/shm/ours && update-ca-certificates --fresh > /dev/null && curl -sS ${url} > /replaced
RUN echo '# from the step' >> /etc/ssl/certs/ca-certificates.crt && chmod 600 /etc/ssl/certs/ca-certificates.crt
RUN rm /etc/ssl/certs/ca-certificates.crt
`,
    });
    const build = good(await buildContext(context, trusting({ image: 'debian-python' })));
    expectNoTrace(build.image());
    expect(build.tree().readText('/replaced')).toBe('trusted\n');
    expect(build.tree().entries.has('/etc/ssl/certs/ca-certificates.crt')).toBe(false);
    const { layout, manifest } = build.image();
    const appended = treeOfLayers(manifest.layers.slice(0, 3).map((layer) => readLayer(layout, layer)));
    const bundle = appended.readText('/etc/ssl/certs/ca-certificates.crt');
    expect(bundle.endsWith('-----END CERTIFICATE-----\n# from the step\n')).toBe(true);
    expect(appended.entries.get('/etc/ssl/certs/ca-certificates.crt')?.mode).toBe('0600');
  });

  test.each(isolations.filter((name) => name !== 'namespace'))('works with --isolation %s', async (isolation) => {
    const files = { Dockerfile: `FROM debian-python\nRUN ${unsetAll}; curl -sS ${url} > /seen\n` };
    const args = ['--isolation', isolation, '--no-cache'];
    const build = await buildGood(files, trusting({ image: 'debian-python', args }));
    expect(build.tree().readText('/seen')).toBe('trusted\n');
    expectNoTrace(build.image());
  });

  test('is in no key, and leaves variables of the image alone', async () => {
    const files = { Dockerfile: 'FROM busybox\nENV SSL_CERT_FILE=/own\nRUN env | grep -E "CERT|CA_" | sort > /seen\n' };
    const first = await buildGood(files, { args: ['--ca', authority] });
    expect(first.tree().readText('/seen')).toMatch(/^SSL_CERT_FILE=\/own$/m);
    expect(first.tree().readText('/seen')).toContain('NODE_EXTRA_CA_CERTS=/dev/tbuild-ca-added.pem\n');
    expect((await buildGood(files)).id()).toBe(first.id());
  });

  test('is what ADD and git trust', async () => {
    const files = { Dockerfile: `FROM busybox\nADD ${url} /added\n` };
    expect((await buildInline(files)).stderr).toContain('ERROR');
    expect((await buildGood(files, { args: ['--ca', authority] })).tree().readText('/added')).toBe('trusted\n');
    const git = await buildInline(
      { Dockerfile: `FROM busybox\nADD ${url}app.git /app\n` },
      { args: ['--ca', authority] },
    );
    expect(git.stderr).not.toMatch(/certificate|SSL/i);
    const untrusted = await buildInline({ Dockerfile: `FROM busybox\nADD ${url}app.git /app\n` });
    expect(untrusted.stderr).toMatch(/certificate/i);
  });

  test.each([
    ['does not exist', 'missing.pem', undefined],
    ['has no certificate: expected PEM', 'key.pem', '-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n'],
    ['has a damaged certificate', 'bad.pem', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'],
  ])('names a file that %s', async (message, name, text) => {
    const file = join(scratchDirectory('ca'), name);
    if (text !== undefined) writeFileSync(file, text);
    const { exitCode, stderr } = await buildInline({ Dockerfile: 'FROM busybox\n' }, { args: ['--ca', file] });
    expect(stderr).toContain(`File "${file}" of --ca ${message}`);
    expect(exitCode).toBe(2);
  });
});
