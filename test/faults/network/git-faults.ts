import type { Fault } from '../../support/fault-proxy.ts';
import type { Random } from '../../support/random.ts';

/** What a git server does wrong, and with how many requests in a row. */
export interface GitFault {
  readonly fault: Fault;
  readonly times: number;
  /** Whether it never ends its answer. */
  readonly isSilent: boolean;
}

interface Lures {
  /** The URL of another server. */
  readonly other: string;
  /** A command that must not run. */
  readonly command: string;
}

/** Returns the faults of git servers. Redirects lead to a lure, to a file of this machine or nowhere. */
export function gitFaults(random: Random, { other, command }: Lures): readonly GitFault[] {
  const at = random.int(random.pick([200, 3000, 30_000]));
  const faults: readonly Fault[] = [
    { kind: 'hang' },
    { kind: 'stall', after: at },
    { kind: 'cut-headers' },
    { kind: 'cut-answer', after: at },
    { kind: 'cut-request', after: random.int(300) },
    { kind: 'lose-answer' },
    { kind: 'reset' },
    { kind: 'half' },
    { kind: 'corrupt', at },
    { kind: 'corrupt', at: random.int(200) },
    { kind: 'delay', milliseconds: random.int(1000) },
    { kind: 'slow', bytesPerSecond: 20_000 },
    { kind: 'answer', status: random.pick([400, 401, 403, 404, 429, 500, 502, 503]) },
    {
      kind: 'answer',
      status: 200,
      body: random.pick(['', '<html>', '0000', '001e# service=git-upload-pack\n0000', '0008NAK\nPACK']),
    },
    {
      kind: 'headers',
      headers: { 'content-type': random.pick(['text/html', 'application/x-git-receive-pack-result']) },
    },
    { kind: 'headers', headers: { 'content-length': String(at) } },
    ...[
      `${other}/app.git/info/refs?service=git-upload-pack`,
      `${other}/else`,
      'file:///etc/passwd',
      `ext::sh -c "${command}"`,
      'gopher://127.0.0.1/',
      '?again',
    ].map((location): Fault => ({ kind: 'answer', status: random.pick([301, 302, 307, 308]), headers: { location } })),
  ];
  return faults.map((fault) => ({
    fault,
    times: random.pick([1, 2, Infinity]),
    isSilent: fault.kind === 'hang' || fault.kind === 'stall',
  }));
}
