import { expect, test } from 'vitest';
import { loopbackProxyPorts } from './step-network.ts';

test.each<[buildArgs: Record<string, string>, ports: number[]]>([
  [{}, []],
  [{ HTTP_PROXY: 'http://127.0.0.1:3128', http_proxy: 'http://127.0.0.1:3128' }, [3128]],
  [
    { https_proxy: 'localhost:8080', ALL_PROXY: 'socks5://[::1]:1080', FTP_PROXY: 'http://localhost/' },
    [80, 1080, 8080],
  ],
  [{ HTTP_PROXY: 'http://user:secret@127.0.0.1:3128/' }, [3128]],
  [{ HTTP_PROXY: 'http://proxy.example:3128', NO_PROXY: 'localhost:1', URL: 'http://127.0.0.1:2' }, []],
  [{ HTTP_PROXY: 'http://', HTTPS_PROXY: '' }, []],
])('loopbackProxyPorts finds the proxies of %j on loopback', (buildArgs, ports) => {
  expect(loopbackProxyPorts([{ buildArgs }, { buildArgs }])).toEqual(ports);
});
