import type { SyscallProgram } from '../syscalls/syscall-program.ts';

const PR_SET_PDEATHSIG = 1;
const PR_SET_CHILD_SUBREAPER = 36;
const SIGTERM = 15;

export interface SupervisorOptions {
  readonly reportTo: number;
  readonly environment: readonly string[];
  /** The directory where `Placement` puts what is to be filled. */
  readonly secrets: string;
}

/**
 * The program that stands above a step where there is no namespace to end it: what the step leaves behind becomes
 * its child, and it kills its children until there are none, at the step's end, when asked to (SIGTERM) and when we are
 * gone. It fills the files of secrets, and empties them: by names that a step cannot reach, whatever it did to its own.
 * `enter` becomes the step's process.
 */
export function supervisorProgram(
  enter: string,
  { reportTo, environment, secrets }: SupervisorOptions,
): SyscallProgram {
  return {
    calls: [
      { name: 'prctl', args: [PR_SET_PDEATHSIG, SIGTERM], mayFail: false },
      { name: 'prctl', args: [PR_SET_CHILD_SUBREAPER, 1], mayFail: false },
      {
        name: 'execve',
        args: [
          { text: '/bin/sh' },
          { texts: ['sh', '-c', SCRIPT, 'sh', enter, String(reportTo), secrets, String(process.pid)] },
          { texts: environment },
        ],
        mayFail: true,
      },
    ],
    reportTo,
  };
}

/**
 * Only builtins, but to fill a secret. A killed child stays listed until it is reaped, so its state is looked at. It may have
 * died after the list was read, and what it leaves becomes ours when it dies: the end is a list of those that were all dead
 * before it was read.
 */
const SCRIPT = String.raw`
is_alive() {
  while read -r key value _; do
    if [ "$key" = State: ]; then [ "$value" != Z ]; return; fi
  done < "/proc/$1/status"
  return 1
}
end() {
  trap '' TERM
  dead=none
  while { read -r children < "/proc/$$/task/$$/children"; [ "$children" != "$dead" ]; }; do
    dead=$children
    for pid in $children; do
      if is_alive "$pid"; then dead=none; kill -KILL "$pid"; fi
    done
  done 2> /dev/null
  empty
}
fill() {
  for secret in "$secrets"/*; do
    if [ -L "$secret/from" ]; then cat "$secret/from" > "$secret/to" || return; fi
  done
}
empty() {
  for secret in "$secrets"/*; do
    if [ -L "$secret/from" ]; then : > "$secret/to"; fi
  done
}
secrets=$3
[ "$PPID" = "$4" ] || exit 137
trap 'end; exit 137' TERM
umask 022
fill 2>&"$2" || exit 125
printf '\004' >&"$2"
"$1" < /dev/null &
child=$!
wait "$child"
code=$?
end
exit "$code"
`;
