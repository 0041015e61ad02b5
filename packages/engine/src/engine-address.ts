import { unescape } from 'node:querystring';
import { TbuildError } from '@tbuild/errors';

/** Where Docker answers: the forms of DOCKER_HOST. */
export interface EngineAddress {
  /** `unix:///path`, `tcp://host:port` or `ssh://user@host`. */
  readonly host: string;
  /** The keys of a tcp address; absent without TLS. */
  readonly tls?: EngineTls;
}

/** Certificates and keys in PEM. */
export interface EngineTls {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
  /** Whether the server must prove who it is. */
  readonly verify: boolean;
}

/** How to reach an address. */
export type Connection =
  | { readonly kind: 'socket'; readonly path: string }
  | { readonly kind: 'tcp'; readonly origin: string; readonly tls?: EngineTls }
  | { readonly kind: 'ssh'; readonly args: readonly string[] };

/**
 * Reads an address.
 * @throws TbuildError UNSUPPORTED for one of another kind.
 */
export function connectionOf({ host, tls }: EngineAddress): Connection {
  const [, scheme = 'unix', rest = ''] = /^(?:([a-z]+):\/\/)?(.*)$/.exec(host) ?? [];
  if (scheme === 'unix') return { kind: 'socket', path: rest };
  if (scheme === 'tcp' || scheme === 'http' || scheme === 'https') {
    const keys = tls ?? (scheme === 'https' ? { verify: true } : undefined);
    return { kind: 'tcp', origin: `${keys === undefined ? 'http' : 'https'}://${rest}`, tls: keys };
  }
  const args = scheme === 'ssh' ? sshArguments(host) : undefined;
  if (args !== undefined) return { kind: 'ssh', args };
  throw new TbuildError(
    'UNSUPPORTED',
    `Cannot connect to Docker at ${JSON.stringify(host)}: expected unix://, tcp:// or ssh://`,
    { hint: `Use -o type=docker,dest=image.tar and docker --host ${host} load` },
  );
}

/** Returns the command that connects to the Docker of another machine, as Docker's client runs it. */
function sshArguments(host: string): readonly string[] | undefined {
  const url = URL.canParse(host) ? new URL(host) : undefined;
  // What starts with a dash would be an option of ssh.
  if (url === undefined || url.hostname === '' || url.hostname.startsWith('-')) return undefined;
  const user = unescape(url.username);
  const path = url.pathname === '' || url.pathname === '/' ? [] : ['--host', `unix://${unescape(url.pathname)}`];
  return [
    'ssh',
    ...(user === '' ? [] : ['-l', user]),
    ...(url.port === '' ? [] : ['-p', url.port]),
    '-o',
    'ConnectTimeout=30',
    '-T',
    '--',
    url.hostname.replace(/^\[|\]$/g, ''),
    ['docker', ...path.map(quote), 'system', 'dial-stdio'].join(' '),
  ];
}

/** Quotes a word for the shell of the other machine. */
function quote(word: string): string {
  return /^[\w:/.-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
