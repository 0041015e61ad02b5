import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { pushBaseImage } from '../../support/base-images.ts';
import { startFaultProxy, type Fault, type FaultProxy } from '../../support/fault-proxy.ts';
import { skopeo } from '../../support/peers.ts';
import { needs } from '../../support/requirements.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { sharedService } from '../../support/services.ts';
import { good, runTbuild, writeFiles } from '../../support/tbuild.ts';

const MiB = 1024 * 1024;

describe('a network that fails', needs('registry'), () => {
  let [host, base] = ['', ''];
  let proxy: FaultProxy;
  beforeAll(async () => {
    host = await sharedService('registry');
    base = await pushBaseImage('busybox', host);
  });
  beforeEach(async () => {
    proxy = await startFaultProxy(host);
  });
  afterEach(() => proxy[Symbol.asyncDispose]());

  const once = (pattern: RegExp, fault: Fault): FaultProxy['decide'] => {
    let isOver = false;
    return (line) => {
      if (isOver || !pattern.test(line)) return undefined;
      isOver = true;
      return fault;
    };
  };
  const through = () => base.replace(host, proxy.host);
  const store = () => ({ store: scratchDirectory('store') });

  test.each<[string, RegExp, Fault]>([
    ['the tag is answered with 503', /^GET .*\/manifests\//, { kind: 'answer', status: 503 }],
    ['too many requests', /^GET .*\/manifests\//, { kind: 'answer', status: 429, headers: { 'retry-after': '1' } }],
    ['a layer breaks off', /^GET .*\/blobs\//, { kind: 'cut-answer', after: 1000 }],
    ['a connection breaks before its answer', /^GET .*\/blobs\//, { kind: 'lose-answer' }],
  ])('does not stop a build: %s', async (_, pattern, fault) => {
    proxy.decide = once(pattern, fault);
    good(await runTbuild(['build', writeFiles({ Dockerfile: `FROM ${through()}\nRUN true\n` })], store()));
  });

  test('a layer that comes at a few bytes a second goes on over another connection', async () => {
    proxy.decide = once(/^GET .*\/blobs\//, { kind: 'slow', bytesPerSecond: 20 });
    const context = writeFiles({ Dockerfile: `FROM ${through()}\nRUN true\n` });
    good(await runTbuild(['build', '--min-download-rate', '1kb/200ms', context], store()));
    expect(
      proxy.seen.filter(({ line, headers }) => /^GET .*\/blobs\//.test(line) && headers.range !== undefined),
    ).not.toEqual([]);
  });

  test.each<[string, RegExp, Fault]>([
    ['an upload breaks', /^PUT .*uploads/, { kind: 'cut-request', after: 300_000 }],
    ['the last answer is lost', /^PUT .*uploads/, { kind: 'lose-answer' }],
    ['a tag is answered with 502', /^PUT .*manifests/, { kind: 'answer', status: 502 }],
  ])('does not stop a push: %s', async (what, pattern, fault) => {
    proxy.decide = once(pattern, fault);
    const name = `faults/push:${what.replaceAll(' ', '-')}`;
    const big = 'incompressible '.repeat(300_000);
    const context = writeFiles({ Dockerfile: 'FROM scratch\nCOPY big /\n', big });
    const output = `type=registry,name=${proxy.host}/${name},compression=uncompressed`;
    good(await runTbuild(['build', '-o', output, context], store()));
    await skopeo(['inspect', '--tls-verify=false', `docker://${host}/${name}`]);
  });

  test('that rejects large requests gets small ones', async () => {
    proxy.decide = (_line, _count, headers) =>
      Number(headers['content-length'] ?? 0) > MiB ? { kind: 'answer', status: 413, close: true } : undefined;
    const context = writeFiles({ Dockerfile: 'FROM scratch\nCOPY big /\n', big: 'x'.repeat(5 * MiB) });
    const output = `type=registry,name=${proxy.host}/faults/small:1,compression=uncompressed`;
    good(await runTbuild(['build', '-o', output, context], store()));
    const copied = `oci:${scratchDirectory('copy')}/layout:1`;
    await skopeo(['copy', '--quiet', '--src-tls-verify=false', `docker://${host}/faults/small:1`, copied]);
  });

  test('permanently ends the build with one message', async () => {
    proxy.decide = (line) => (line.includes('/blobs/') ? { kind: 'corrupt', at: 50 } : undefined);
    const wrong = await runTbuild(['pull', through()], store());
    expect(wrong.exitCode).toBe(1);
    expect(wrong.stderr).toMatch(/ERROR: Blob sha256:\w+ has bytes with the digest sha256:/);
    proxy.decide = (line) => (line === 'GET /v2/' ? undefined : { kind: 'cut-headers' });
    const broken = await runTbuild(['pull', through()], store());
    expect(broken.exitCode).toBe(1);
    expect(broken.stderr).toMatch(/ERROR: Registry \S+ broke the connection/);
    expect(broken.stderr).not.toMatch(/^ +at /m);
  });
});
