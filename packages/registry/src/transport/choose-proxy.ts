import { isIP } from 'node:net';
import { TbuildError } from '@tbuild/errors';
import { parseAddressRange } from './address-range.ts';

/** The proxies in the environment. An empty text means no proxy. Loopback addresses never use one. */
export interface ProxyOptions {
  /** The URL (or `host:port`) of the proxy for `http:`. */
  readonly http?: string;
  /** The proxy for `https:`. */
  readonly https?: string;
  /** Direct destinations: names with their subdomains, `.domain`, addresses and ranges, with optional ports; or `*`. */
  readonly none?: string;
}

/** Returns the proxy for a URL, or undefined for a direct connection. @throws TbuildError USAGE for an invalid proxy. */
export type ChooseProxy = (url: URL) => URL | undefined;

/** Parses these texts as curl, Go and Docker do. */
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
    hint: 'Write HTTPS_PROXY and HTTP_PROXY in the form http://[USER:PASSWORD@]HOST:PORT',
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
