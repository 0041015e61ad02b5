import type { UnpackLimits } from '@tbuild/diff';
import { TbuildError, withoutCredentials } from '@tbuild/errors';
import type { Outside } from '@tbuild/host';
import { shellQuoted } from '@tbuild/linux';
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
  /** What ends connections over ssh and `git://` to such a server. Without it git waits. */
  readonly connection?: GitConnection;
  /** What a fetch, and the files of a commit, may take. */
  readonly limits?: UnpackLimits;
  runProgram: Outside['run'];
  readonly signal: AbortSignal;
}

/** A program between git and its server, see the launcher. */
export interface GitConnection {
  /** Takes the seconds of silence, and the command of ssh with its arguments. */
  readonly command: readonly string[];
  /** The launcher: git wants a program without arguments of its own for `git://`. */
  readonly launcher: string;
}

/** A header is sent always, a password when the server asks for it. The user's credential helper may know that of a user. */
export type GitLogin = { readonly user: string; readonly password?: string } | { readonly header: string };

export interface GitOptions {
  readonly cwd: string;
  /** A lock file: only one git process at a time runs with it. */
  readonly lock?: string;
  /** Receives the output as it comes, which then is not returned. */
  readonly output?: (bytes: Uint8Array) => void;
}

/**
 * Runs the user's git and returns its output. Passes the login over standard input and the environment, since other
 * users can see arguments. The user's git configuration applies to the connection but not to the checkout.
 * @throws TbuildError UNSUPPORTED without git, PROCESS_FAILED that says what git complained about.
 */
export async function runGit(
  args: readonly string[],
  remote: GitRemote,
  { cwd, lock = '', output }: GitOptions,
): Promise<string> {
  const { idleTimeoutMs = IDLE_TIMEOUT_MS, connection, runProgram, signal } = remote;
  const seconds = String(Math.ceil(idleTimeoutMs / 1000));
  const through = connection === undefined ? '' : [...connection.command, seconds].map(shellQuoted).join(' ');
  const given = [originOf(remote.url), seconds, through, connection?.launcher ?? '', lock];
  const command = ['sh', '-c', SCRIPT, 'git', ...given, ...CONTENT_OPTIONS, ...args];
  const { exitCode, stdout, stderr } = await runProgram(command, {
    cwd,
    input: Buffer.from(linesOf(remote)),
    output,
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
  'fetch.unpackLimit=1',
  'advice.detachedHead=false',
  'lfs.skipdownloaderrors=false',
].flatMap((option) => ['-c', option]);

// Git must not prompt: the terminal belongs to the display. It sends a header, or a password before it is asked for one, also
// to a server that the first one redirects to. A server that computes sends a byte a second to show that it lives. The
// process group ends as a whole, with what git has started; nothing else removes what it has of a pack then. A terminal's Ctrl-C
// reaches this shell and not the group, which the SIGTERM that follows ends. The lock is this shell's: what git leaves running,
// such as a credential cache, would hold it on.
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
configured=$(git config --get-regexp '^core\\.(sshcommand|gitproxy)$')
ssh=\${GIT_SSH_COMMAND:-}
case $configured in *core.sshcommand*) ssh=\${ssh:-$(git config --get core.sshCommand)} ;; esac
[ -n "$ssh\${GIT_SSH:-}" ] || ssh='ssh -o BatchMode=yes'
if [ -n "$3" ]; then
  export TBUILD_GIT_CONNECTION="$3"
  case \${ssh%% *} in
    ssh | */ssh) export GIT_SSH_VARIANT="\${GIT_SSH_VARIANT:-ssh}" && ssh="$3 $ssh" ;;
  esac
  case $configured in *core.gitproxy*) ;; *) export GIT_PROXY_COMMAND="\${GIT_PROXY_COMMAND:-$4}" ;; esac
fi
[ -z "$ssh" ] || export GIT_SSH_COMMAND="$ssh"
lock=$5
shift 5
await() {
  until wait "$!"; code=$?; ! kill -0 "$!" 2> /dev/null; do :; done
}
trap : INT HUP
trap 'kill -- "-$!" || kill "$!" || exit' TERM
if [ -n "$lock" ] && command -v flock > /dev/null; then
  exec 9> "$lock"
  flock 9 &
  await
  [ "$code" = 0 ] || exit "$code"
else
  lock=''
fi
set -- git "$@"
if command -v setsid > /dev/null; then set -- setsid "$@"; fi
"$@" < /dev/null 9>&- &
await
[ "$code" = 0 ] || [ -z "$lock" ] || rm -f -- "\${lock%/*}"/objects/pack/tmp_*
exit "$code"
`;

function originOf(url: string): string {
  return /^https?:/i.test(url) && URL.canParse(url) ? new URL(url).origin : 'https://invalid';
}
