import { TbuildError, withoutCredentials } from '@tbuild/errors';
import type { Outside } from '@tbuild/host';
import { gitError } from './git-error.ts';

/** A remote repository and how to access it. */
export interface GitRemote {
  /** Other users see it, so that of a web server has neither user nor password. */
  readonly url: string;
  /** What names its repository in the store, so that those of several users are apart. Default: the URL. */
  readonly mirror?: string;
  /** What the web server of the URL gets, and no other one. */
  readonly login?: GitLogin;
  /** How long its server may be silent, in milliseconds. Default: two minutes. */
  readonly idleTimeoutMs?: number;
  runProgram: Outside['run'];
  readonly signal: AbortSignal;
}

/** A header is sent always, a password when the server asks for it. The user's credential helper may know that of a user. */
export type GitLogin = { readonly user: string; readonly password?: string } | { readonly header: string };

export interface GitOptions {
  readonly cwd: string;
  /** A lock file: only one git process at a time runs with it. */
  readonly lock?: string;
}

/**
 * Runs the user's git and returns its output. Passes the login over standard input and the environment, since other
 * users can see arguments. The user's git configuration applies to the connection but not to the checkout.
 * @throws TbuildError UNSUPPORTED without git, PROCESS_FAILED that says what git complained about.
 */
export async function runGit(
  args: readonly string[],
  remote: GitRemote,
  { cwd, lock = '' }: GitOptions,
): Promise<string> {
  const { idleTimeoutMs = IDLE_TIMEOUT_MS, runProgram, signal } = remote;
  const seconds = String(Math.ceil(idleTimeoutMs / 1000));
  const command = ['sh', '-c', SCRIPT, 'git', originOf(remote.url), seconds, lock, ...CONTENT_OPTIONS, ...args];
  const { exitCode, stdout, stderr } = await runProgram(command, {
    cwd,
    input: Buffer.from(linesOf(remote)),
    signal,
  });
  if (exitCode === 0) return Buffer.from(stdout).toString('utf8');
  const shown = JSON.stringify(withoutCredentials(remote.url));
  if (exitCode === NO_PROGRAM)
    throw new TbuildError('UNSUPPORTED', `Cannot read ${shown}: git is not installed`, { hint: 'Install git' });
  throw gitError(Buffer.from(stderr).toString('utf8').replaceAll(remote.url, withoutCredentials(remote.url)), shown);
}

const NO_PROGRAM = 127;
const IDLE_TIMEOUT_MS = 120_000;

/**
 * Returns the lines that the script reads: a header, a user, and a password after a colon.
 * @throws TbuildError USAGE
 */
function linesOf({ url, login = { user: '' } }: GitRemote): string {
  const { header, user, password } = { header: '', user: '', password: undefined, ...login };
  const lines = [header, user, password === undefined ? '' : `:${password}`];
  if (lines.some((line) => /[\n\r\0]/.test(line)))
    throw new TbuildError('USAGE', `The user, password or header for ${JSON.stringify(url)} has a line break`);
  return `${lines.join('\n')}\n`;
}

const CONTENT_OPTIONS = [
  'core.autocrlf=false',
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'gc.auto=0',
  'advice.detachedHead=false',
  'lfs.skipdownloaderrors=false',
].flatMap((option) => ['-c', option]);

// Git must not prompt: the terminal belongs to the display. It sends a header, or a password before it is asked for one, also
// to a server that the first one redirects to. A server that computes sends a byte a second to show that it lives.
const SCRIPT = `
command -v git > /dev/null || exit ${NO_PROGRAM}
umask 022
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_OBJECT_DIRECTORY GIT_COMMON_DIR GIT_NAMESPACE GIT_LFS_SKIP_DOWNLOAD_ERRORS
export GIT_TERMINAL_PROMPT=0 LC_ALL=C
set_config() {
  count=\${GIT_CONFIG_COUNT:-0}
  export "GIT_CONFIG_KEY_$count=$1" "GIT_CONFIG_VALUE_$count=$2" GIT_CONFIG_COUNT=$((count + 1))
}
IFS= read -r header
IFS= read -r user
IFS= read -r password
if [ -n "$header" ]; then
  set_config "http.$1/.extraheader" "Authorization: $header"
  set_config "http.$1/.followRedirects" false
elif [ -n "$password" ]; then
  export TBUILD_GIT_USER="$user" TBUILD_GIT_PASSWORD="\${password#:}"
  set_config "credential.$1.helper" ''
  set_config "credential.$1.helper" '!tell() { cat > /dev/null; printf "%s\\n" "username=$TBUILD_GIT_USER" "password=$TBUILD_GIT_PASSWORD"; }; tell'
elif [ -n "$user" ]; then
  set_config "credential.$1.username" "$user"
fi
case $1 in
  https://invalid) ;;
  *) [ -n "\${GIT_HTTP_LOW_SPEED_LIMIT:-}" ] || git config --get-urlmatch http.lowSpeedLimit "$1" > /dev/null ||
    export GIT_HTTP_LOW_SPEED_LIMIT=1 GIT_HTTP_LOW_SPEED_TIME=$2 ;;
esac
[ -n "\${GIT_SSH_COMMAND:-}" ] || git config --get core.sshCommand > /dev/null ||
  export GIT_SSH_COMMAND="ssh -o BatchMode=yes -o ConnectTimeout=$2 -o ServerAliveInterval=$2 -o ServerAliveCountMax=1"
lock=$3
shift 3
if [ -n "$lock" ] && command -v flock > /dev/null; then exec flock "$lock" git "$@" < /dev/null; fi
exec git "$@" < /dev/null
`;

function originOf(url: string): string {
  return /^https?:/i.test(url) && URL.canParse(url) ? new URL(url).origin : 'https://invalid';
}
