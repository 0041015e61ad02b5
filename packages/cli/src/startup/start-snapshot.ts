import { spawn } from 'node:child_process';
import type { Environment } from '../config/environment.ts';
import { MAX_SEMI_SPACE } from './max-semi-space.ts';

/**
 * The Dockerfile of the rehearsal: the first build fills a cache, the second one, cached, runs while the snapshot is
 * made.
 */
const DOCKERFILE = `FROM scratch AS one
ARG FROM=Dockerfile
COPY \${FROM} /
FROM scratch
ENV NAME=value
WORKDIR /work
COPY --from=one --chown=1:1 / /one/
COPY . .
LABEL name=\${NAME}
CMD ["/run"]
`;

/**
 * Makes a snapshot, then the note about it, so that the note never names an unfinished file. The note holds the launcher's
 * first line, the binary of Node, the snapshot, the options of V8 that must be the same when it is used, its size and
 * digest as `cksum` prints them, and its size, inode and ctime. It names no snapshot when the program does not run from the one
 * that was made, as with an unknown version of Node. A few older snapshots are kept.
 */
const MAKE_SNAPSHOT = `
node=$1 main=$2 note=$3 fits=$4 option=$5 dockerfile=$6
unset TBUILD_SNAPSHOT_NOTE
umask 077
cd "\${note%/*}" || exit
exec 9> snapshot.lock
flock -n 9 || exit
snapshot=$note-$$
make() { "$node" "$option" --no-warnings --snapshot-blob "$snapshot" --build-snapshot "$main" "$@"; }

rehearsal=$(mktemp -d) || exit
mkdir "$rehearsal/context"
printf '%s' "$dockerfile" > "$rehearsal/context/Dockerfile"
set -- --root "$rehearsal/store" --progress plain --tag rehearsal "$rehearsal/context"
"$node" "$main" "$@"
make "$@" || make
usable=$snapshot
"$node" "$option" --snapshot-blob "$snapshot" "$main" --no-cache "$@" || { rm -f "$snapshot" && usable=''; }
rm -rf "$rehearsal"

digest='' seen=''
if [ -n "$usable" ]; then
  digest=$(cksum < "$usable")
  seen=$(TZ=UTC0 LC_ALL=C stat -c '%s %i %z' "$usable")
fi
printf '%s\\n' "$fits" "$node" "$usable" "$option" "$digest" "$seen" > "$snapshot.note" && mv -f "$snapshot.note" "$note"
ls -t snapshot-* | tail -n +9 | xargs rm -f
`;

/**
 * Makes the snapshot that the launcher starts the program from next time, if the launcher asked for one: the heap of a
 * process that has loaded the program and built once. Nobody waits for the process that makes it.
 */
export function makeStartSnapshot({ variables }: Environment): void {
  const { TBUILD_SNAPSHOT_NOTE: note, TBUILD_SNAPSHOT_FITS: fits } = variables;
  const [node, main] = process.argv;
  if (note === undefined || fits === undefined || node === undefined || main === undefined) return;
  const command = ['/bin/sh', '-c', MAKE_SNAPSHOT, 'sh', node, main, note, fits, MAX_SEMI_SPACE, DOCKERFILE];
  const child = spawn('nice', command, { stdio: 'ignore', detached: true });
  // Without a snapshot, the program starts as it did this time.
  child.on('error', () => {});
  child.unref();
}
