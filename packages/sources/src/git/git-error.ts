import { printable, TbuildError } from '@tbuild/errors';

interface Complaint {
  readonly pattern: RegExp;
  /** The reason; `$1` is the first group of the pattern. */
  readonly reason: string;
  readonly hint?: string;
}

const NETWORK = 'Check the address, and the network of this machine; behind a proxy, set HTTPS_PROXY';

/** What git and ssh complain about, the most specific first. */
const COMPLAINTS: readonly Complaint[] = [
  {
    pattern: /(?:could not resolve host(?:name)?:?|ENOTFOUND|EAI_AGAIN) "?([^\s:"]+)/i,
    reason: 'host $1 has no address',
    hint: NETWORK,
  },
  {
    pattern: /host key verification failed/i,
    reason: 'the key of its server is not known',
    hint: 'Connect once with ssh, and confirm the key of the server',
  },
  {
    pattern: /permission denied \(/i,
    reason: 'its server accepts none of your SSH keys',
    hint: 'Add a key with ssh-add that the server knows',
  },
  {
    pattern: /could not read (?:username|password)|authentication failed|terminal prompts disabled|error: 401/i,
    reason: 'its server requires credentials',
    hint: 'Check the address, and pass a token with --secret id=GIT_AUTH_TOKEN,env=NAME if the repository is private',
  },
  {
    pattern: /certificate problem: ([^\n]*)|server certificate verification failed/i,
    reason: 'its server has a certificate that git does not trust',
    hint: 'Trust its certificate authority with git config http.sslCAInfo FILE',
  },
  {
    pattern: /returned error: 30\d|unable to update url base from redirection/i,
    reason: 'its server redirects to another address',
    hint: 'Use the address that it redirects to',
  },
  {
    pattern: /operation too slow/i,
    reason: 'its server is silent',
    hint: 'Try again later, or wait longer with --server-timeout SPAN',
  },
  { pattern: /connection refused|ECONNREFUSED/i, reason: 'connection refused by its server', hint: NETWORK },
  {
    pattern:
      /failed to connect to (\S+) port (\d+)|could not connect to server|connection timed out|E(?:HOST|NET)UNREACH|ETIMEDOUT/i,
    reason: 'its server cannot be reached',
    hint: NETWORK,
  },
  {
    pattern: /repository [^\n]*not found|does not appear to be a git repository|error: 404|not found/i,
    reason: 'there is no such repository, or you may not read it',
    hint: 'Check the address, and pass a token with --secret id=GIT_AUTH_TOKEN,env=NAME if the repository is private',
  },
  {
    pattern: /not our ref|couldn't find remote ref (\S+)|did not send all necessary objects/i,
    reason: 'its server does not have that commit',
    hint: 'Check the branch, the tag or the commit after "#"',
  },
  {
    pattern: /early EOF|hung up|unexpected disconnect|empty reply|connection (?:was )?reset|ECONNRESET/i,
    reason: 'its server broke off the connection',
    hint: 'Build again',
  },
];

/** Returns the error for a git that failed with this output on a quoted repository. */
export function gitError(stderr: string, shown: string): TbuildError {
  const text = `Failed to fetch remote ${shown}`;
  const cause = new Error(stderr.trim());
  for (const { pattern, reason, hint } of COMPLAINTS) {
    const match = pattern.exec(stderr);
    if (match !== null)
      return new TbuildError('PROCESS_FAILED', `${text}: ${reason.replace('$1', () => printable(match[1] ?? ''))}`, {
        hint,
        cause,
      });
  }
  const said = saidBy(stderr);
  return new TbuildError('PROCESS_FAILED', said === undefined ? text : `${text}: git says ${JSON.stringify(said)}`, {
    hint: 'Run git ls-remote with this address to see all that git says',
    cause,
  });
}

/** Returns the first line in which git reports an error, without its mark. */
function saidBy(stderr: string): string | undefined {
  const line = stderr.split('\n').find((one) => /^(?:fatal|error|remote|ssh):/i.test(one));
  return line && printable(line.replace(/^\w+: */, '').trim());
}
