import { TbuildError, withoutCredentials } from '@tbuild/errors';
import type { Outside } from '@tbuild/host';
import { gitError } from './git-error.ts';

/** A remote repository and how to access it. */
export interface GitRemote {
  /** May contain a user, so never show it. Other users see it. */
  readonly url: string;
  /** What names its repository in the store, so that those of several users are apart. Default: the URL. */
  readonly mirror?: string;
  /** `Authorization` header for the server. */
  readonly authorization?: string;
  runProgram: Outside['run'];
  readonly signal: AbortSignal;
}

export interface GitOptions {
  readonly cwd: string;
  /** A lock file: only one git process at a time runs with it. */
  readonly lock?: string;
}

/**
 * Runs the user's git and returns its output. Passes the `Authorization` header over standard input, since other users
 * can see arguments. The user's git configuration applies to the connection but not to the checkout.
 * @throws TbuildError UNSUPPORTED without git, PROCESS_FAILED that says what git complained about.
 */
export async function runGit(
  args: readonly string[],
  remote: GitRemote,
  { cwd, lock = '' }: GitOptions,
): Promise<string> {
  const { authorization = '', runProgram, signal } = remote;
  const command = ['sh', '-c', SCRIPT, 'git', originOf(remote.url), lock, ...CONTENT_OPTIONS, ...args];
  const { exitCode, stdout, stderr } = await runProgram(command, {
    cwd,
    input: Buffer.from(`${authorization}\n`),
    signal,
  });
  if (exitCode === 0) return Buffer.from(stdout).toString('utf8');
  const shown = JSON.stringify(withoutCredentials(remote.url));
  if (exitCode === NO_PROGRAM)
    throw new TbuildError('UNSUPPORTED', `Cannot read ${shown}: git is not installed`, { hint: 'Install git' });
  throw gitError(Buffer.from(stderr).toString('utf8').replaceAll(remote.url, withoutCredentials(remote.url)), shown);
}

const NO_PROGRAM = 127;

const CONTENT_OPTIONS = [
  'core.autocrlf=false',
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'gc.auto=0',
  'advice.detachedHead=false',
  'lfs.skipdownloaderrors=false',
].flatMap((option) => ['-c', option]);

// Git must not prompt: the terminal belongs to the display. A server that computes sends a byte a second to show it lives.
const SCRIPT = `
command -v git > /dev/null || exit ${NO_PROGRAM}
umask 022
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_OBJECT_DIRECTORY GIT_COMMON_DIR GIT_NAMESPACE GIT_LFS_SKIP_DOWNLOAD_ERRORS
export GIT_TERMINAL_PROMPT=0 LC_ALL=C
IFS= read -r header
if [ -n "$header" ]; then
  export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0="http.$1/.extraheader" GIT_CONFIG_VALUE_0="Authorization: $header"
fi
case $1 in
  https://invalid) ;;
  *) [ -n "\${GIT_HTTP_LOW_SPEED_LIMIT:-}" ] || git config --get-urlmatch http.lowSpeedLimit "$1" > /dev/null ||
    export GIT_HTTP_LOW_SPEED_LIMIT=1 GIT_HTTP_LOW_SPEED_TIME=120 ;;
esac
[ -n "\${GIT_SSH_COMMAND:-}" ] || git config --get core.sshCommand > /dev/null || export GIT_SSH_COMMAND='ssh -o BatchMode=yes'
lock=$2
shift 2
if [ -n "$lock" ] && command -v flock > /dev/null; then exec flock "$lock" git "$@" < /dev/null; fi
exec git "$@" < /dev/null
`;

function originOf(url: string): string {
  return /^https?:/i.test(url) && URL.canParse(url) ? new URL(url).origin : 'https://invalid';
}
