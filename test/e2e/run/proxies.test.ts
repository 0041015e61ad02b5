import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { needs } from '../../support/requirements.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { buildContext, good, writeFiles } from '../../support/tbuild.ts';

const homeWith = (proxies: object): string => {
  const home = scratchDirectory('home');
  mkdirSync(join(home, '.docker'));
  writeFileSync(join(home, '.docker/config.json'), JSON.stringify({ proxies }));
  return home;
};

describe('the proxies of config.json', needs('root'), () => {
  test('are variables of RUN steps in both cases, and in no key, history or configuration', async () => {
    const context = writeFiles({ Dockerfile: 'FROM busybox\nRUN env | grep -i _proxy | sort > /seen\n' });
    const proxies = { default: { httpProxy: 'http://user:hidden@proxy.test:3128', noProxy: '*.test' } };
    const first = good(await buildContext(context, { env: { HOME: homeWith(proxies) } }));
    expect(first.tree().readText('/seen')).toBe(
      'HTTP_PROXY=http://user:hidden@proxy.test:3128\nNO_PROXY=*.test\n' +
        'http_proxy=http://user:hidden@proxy.test:3128\nno_proxy=*.test\n',
    );
    expect(JSON.stringify(first.image().config)).not.toMatch(/proxy\.test|hidden/);
    expect(first.stderr).not.toContain('is not used');
    const other = { default: { httpProxy: 'http://other.test:3128' } };
    const second = good(await buildContext(context, { env: { HOME: homeWith(other) } }));
    expect(second.id()).toBe(first.id());
  });

  test('give way to a build argument; an empty one switches its proxy off', async () => {
    const context = writeFiles({ Dockerfile: 'FROM busybox\nRUN env | grep -i _proxy | sort > /seen\n' });
    const env = { HOME: homeWith({ default: { httpProxy: 'http://a.test', httpsProxy: 'http://b.test' } }) };
    const args = ['--no-cache', '--build-arg', 'http_proxy=http://given.test', '--build-arg', 'HTTPS_PROXY='];
    const build = good(await buildContext(context, { env, args }));
    expect(build.tree().readText('/seen')).toBe('HTTP_PROXY=http://given.test\nhttp_proxy=http://given.test\n');
  });
});
