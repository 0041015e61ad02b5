import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { pushBaseImage } from '../../support/base-images.ts';
import { makeCertificate } from '../../support/certificate.ts';
import { containersTools } from '../../support/peers.ts';
import { startRegistry } from '../../support/registry.ts';
import { needs } from '../../support/requirements.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { sharedService } from '../../support/services.ts';
import { good, runTbuild, writeFiles } from '../../support/tbuild.ts';

const auth = { username: 'someone', password: 's3cret' };

describe('registry access', needs('registry'), () => {
  test('in a GitLab job takes the credentials from its variables', async () => {
    await using registry = await startRegistry({ auth });
    const base = await pushBaseImage('busybox', registry.host, `${auth.username}:${auth.password}`);
    const job = { CI_REGISTRY: registry.host, CI_REGISTRY_USER: auth.username, CI_REGISTRY_PASSWORD: auth.password };
    const [store, HOME] = [scratchDirectory('store'), scratchDirectory('home')];
    expect((await runTbuild(['pull', base], { store, env: { HOME } })).exitCode).toBe(1);
    good(await runTbuild(['pull', base], { store, env: { HOME, ...job } }));
  });

  test('uses the credentials that podman login stored', needs('podman'), async () => {
    await using registry = await startRegistry({ auth });
    const base = await pushBaseImage('busybox', registry.host, `${auth.username}:${auth.password}`);
    const [store, HOME] = [scratchDirectory('store'), scratchDirectory('home')];
    const file = join(HOME, 'auth.json');
    await containersTools().podman([
      'login',
      '--tls-verify=false',
      '--authfile',
      file,
      '-u',
      auth.username,
      '-p',
      auth.password,
      registry.host,
    ]);
    good(await runTbuild(['pull', base], { store, env: { HOME, REGISTRY_AUTH_FILE: file } }));
  });

  test('registry.insecure of an output pushes to a registry without a known certificate', async () => {
    await using registry = await startRegistry({ tls: true });
    // The name does not count as loopback, so certificates are checked.
    const name = `${registry.host.replace('127.0.0.1', '127.1')}/app:1`;
    const context = writeFiles({ Dockerfile: 'FROM scratch\nCOPY Dockerfile /\n' });
    const push = (options: string) =>
      runTbuild(['build', '-o', `type=image,name=${name},push=true${options}`, context]);
    expect(await push('')).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('cannot be trusted') });
    good(await push(',registry.insecure=true'));
  });

  test('presents a client certificate of certs.d', async () => {
    const base = await pushBaseImage('busybox', await sharedService('registry'));
    const [directory, HOME] = [scratchDirectory('certificates'), scratchDirectory('home')];
    const at = (name: string) => join(directory, name);
    for (const [name, subject] of [
      ['server', 'subjectAltName=IP:127.0.0.1'],
      ['client', 'extendedKeyUsage=clientAuth'],
    ] as const) {
      await makeCertificate(name, { key: at(`${name}.key`), certificate: at(`${name}.crt`) }, subject);
    }
    const [host = '', ...path] = base.split('/');
    const tls = {
      cert: readFileSync(at('server.crt')),
      key: readFileSync(at('server.key')),
      ca: readFileSync(at('client.crt')),
      requestCert: true,
      rejectUnauthorized: true,
    };
    const server = createServer(tls, (incoming, answer) => {
      const [hostname, port] = host.split(':');
      incoming.pipe(
        request(
          { hostname, port, path: incoming.url, method: incoming.method, headers: incoming.headers },
          (response) => {
            answer.writeHead(response.statusCode ?? 500, response.headers);
            response.pipe(answer);
          },
        ),
      );
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const guarded = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const store = scratchDirectory('store');
    const pull = () => runTbuild(['pull', [guarded, ...path].join('/')], { store, env: { HOME } });
    expect((await pull()).exitCode).toBe(1);
    const place = join(HOME, '.docker/certs.d', guarded);
    mkdirSync(place, { recursive: true });
    for (const [from, to] of [
      ['server.crt', 'ca.crt'],
      ['client.crt', 'client.cert'],
      ['client.key', 'client.key'],
    ] as const)
      writeFileSync(join(place, to), readFileSync(at(from)));
    good(await pull());
    server.closeAllConnections();
    server.close();
  });
});
