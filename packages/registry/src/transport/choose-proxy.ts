import { isIP } from 'node:net';
import { TbuildError } from '@tbuild/errors';
import { parseAddressRange } from './address-range.ts';

/** Proxies as the environment names them; an empty text is none. Loopback is never reached through one. */
export interface ProxyOptions {
  /** URL (or `host:port`) of the proxy for `http:`. */
  readonly http?: string;
  /** The one for `https:`. */
  readonly https?: string;
  /** What is reached directly: names with all below them, `.domain`, addresses, ranges, each with a port or not; or `*`. */
  readonly none?: string;
}

/** The proxy that a URL is reached through, or undefined for the direct way. @throws TbuildError USAGE for one that is no URL. */
export type ChooseProxy = (url: URL) => URL | undefined;

/** As curl and Go's programs, and so Docker, read these texts. */
export function chooseProxy({ http, https, none = '' }: ProxyOptions = {}): ChooseProxy {
  if (!http && !https) return () => undefined;
  const exceptions = none.split(/[\s,]+/).filter((text) => text !== '');
  const isExcepted = exceptions.map(parseException);
  return (url) => {
    const proxy = url.protocol === 'https:' ? https : http;
    if (!proxy || isLoopback(url.hostname) || isExcepted.some((matches) => matches(url))) return undefined;
    return parseProxy(proxy);
  };
}

function parseProxy(text: string): URL {
  const whole = /^[a-z0-9+.-]+:\/\//i.test(text) ? text : `http://${text}`;
  if (URL.canParse(whole) && /^(?:https?|socks5?):/i.test(whole)) return new URL(whole);
  const shown = text.replace(/^(.*:\/\/)?.*@/, '$1***@');
  throw new TbuildError('USAGE', `Proxy ${JSON.stringify(shown)} is not a URL`, {
    hint: 'HTTPS_PROXY and HTTP_PROXY are of the form http://[USER:PASSWORD@]HOST:PORT',
  });
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || /^127(?:\.\d+){3}$/.test(hostname) || hostname === '[::1]';
}

function parseException(text: string): (url: URL) => boolean {
  if (text === '*') return () => true;
  const range = parseAddressRange(text);
  if (range !== undefined) return ({ hostname }) => range(bare(hostname));
  const [, host = text, port] = /^(.*?)(?::(\d+))?$/.exec(isIP(text) === 6 ? `[${text}]` : text) ?? [];
  const name = host.toLowerCase().replace(/^\*(?=\.)/, '');
  return (url) => {
    if (port !== undefined && port !== portOf(url)) return false;
    if (url.hostname === name) return true;
    return isIP(bare(url.hostname)) === 0 && url.hostname.endsWith(name.startsWith('.') ? name : `.${name}`);
  };
}

function bare(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '');
}

function portOf({ port, protocol }: URL): string {
  return port || (protocol === 'https:' ? '443' : '80');
}
