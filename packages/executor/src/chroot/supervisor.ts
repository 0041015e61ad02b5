import type { SyscallProgram } from '../syscalls/syscall-program.ts';

const PR_SET_PDEATHSIG = 1;
const PR_SET_CHILD_SUBREAPER = 36;
const SIGTERM = 15;

export interface SupervisorOptions {
  readonly reportTo: number;
  readonly environment: readonly string[];
  /** The directory in which `Placement` describes the secret files. */
  readonly secrets: string;
  /** Whether the step's output is a terminal, which is its input too. */
  readonly hasTerminal: boolean;
}

/**
 * Returns the program that supervises a step where no namespace ends it. As subreaper it becomes the parent of what
 * the step leaves behind. It kills all its children at the step's end, on SIGTERM, and when tbuild dies. It fills and
 * empties the files of secrets by names that the step cannot reach. `enter` becomes the step's process.
 */
export function supervisorProgram(
  enter: string,
  { reportTo, environment, secrets, hasTerminal }: SupervisorOptions,
): SyscallProgram {
  return {
    calls: [
      { name: 'prctl', args: [PR_SET_PDEATHSIG, SIGTERM], mayFail: false },
      { name: 'prctl', args: [PR_SET_CHILD_SUBREAPER, 1], mayFail: false },
      {
        name: 'execve',
        args: [
          { text: '/bin/sh' },
          {
            texts: [
              'sh',
              '-c',
              scriptFor(hasTerminal ? '<&1' : '< /dev/null'),
              'sh',
              enter,
              String(reportTo),
              secrets,
              String(process.pid),
            ],
          },
          { texts: environment },
        ],
        mayFail: true,
      },
    ],
    reportTo,
  };
}

/**
 * Uses only builtins, except to fill a secret. A killed child stays listed until it is reaped, so the script checks
 * its state. A process that dies after the list was read may leave children that become the supervisor's; the loop
 * ends when all listed processes were already dead before the list was read.
 */
const scriptFor = (input: string): string => String.raw`
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
"$1" ${input} &
child=$!
wait "$child"
code=$?
end
exit "$code"
`;
