import { describe, expect, test } from 'vitest';
import { pushBaseImage } from '../../support/base-images.ts';
import { eventually } from '../../support/eventually.ts';
import { type FaultProxy, startFaultProxy } from '../../support/fault-proxy.ts';
import { needs } from '../../support/requirements.ts';
import { sharedService } from '../../support/services.ts';
import { buildGood, buildInline } from '../../support/tbuild.ts';

describe('a cache that is pushed beside the image', needs('registry'), () => {
  const host = sharedService('registry');

  /** Builds an image whose first stage only the cache has, and pushes both to repositories of their own. */
  async function build(proxy: FaultProxy, name: string, run: typeof buildInline, extra = '') {
    const base = await pushBaseImage('busybox', await host);
    const seed = process.hrtime.bigint();
    const Dockerfile = `FROM ${base} AS made\nRUN echo ${seed} > /made\nFROM scratch\nCOPY --from=made /made /\n`;
    const cache = `type=registry,ref=${proxy.host}/${name}-cache:1,mode=max${extra}`;
    return run(
      { Dockerfile },
      { images: [], args: ['--push', '--tag', `${proxy.host}/${name}:1`, '--cache-to', cache] },
    );
  }

  const linesOf = ({ seen }: FaultProxy) => seen.map(({ line }) => line);

  test('is sent before the image is complete, and named after it', async () => {
    await using proxy = await startFaultProxy(await host);
    const isSent = () => linesOf(proxy).some((line) => line.startsWith('PUT /v2/beside-cache/blobs/uploads/'));
    let wasSent = false;
    proxy.decide = async (line) => {
      if (line !== 'PUT /v2/beside/manifests/1') return undefined;
      await eventually(isSent);
      wasSent = isSent();
      return undefined;
    };
    await build(proxy, 'beside', buildGood);
    expect(wasSent).toBe(true);
    const named = linesOf(proxy).filter((line) => line.includes('/manifests/1') && line.startsWith('PUT'));
    expect(named.at(-1)).toBe('PUT /v2/beside-cache/manifests/1');
    expect(named[0]).toBe('PUT /v2/beside/manifests/1');
  });

  test.each([
    { option: '', isRefused: false },
    { option: ',ignore-error=true', isRefused: false },
    { option: ',ignore-error=true', isRefused: true },
  ])('gets no name, and no warning, when the image fails: %o', async ({ option, isRefused }) => {
    await using proxy = await startFaultProxy(await host);
    const isCache = (line: string): boolean => line.includes('/v2/lonely-cache/blobs/uploads/');
    proxy.decide = async (line) => {
      const isImage = line === 'PUT /v2/lonely/manifests/1';
      // Not before the cache is on its way.
      if (isImage) await eventually(() => linesOf(proxy).some(isCache));
      return isImage || (isRefused && isCache(line)) ? { kind: 'answer', status: 403, body: '{}' } : undefined;
    };
    const { exitCode, stderr } = await build(proxy, 'lonely', buildInline, option);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`Failed to push ${proxy.host}/lonely:1`);
    expect(stderr).not.toContain('The cache was not exported');
    expect(linesOf(proxy).filter((line) => line.startsWith('PUT /v2/lonely-cache/manifests/'))).toEqual([]);
  });
});
