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
 * Tells V8 to keep the hashes in a snapshot, and with them their random seed: computing others at each start takes an eighth of a
 * small build. The second word of its header says whether V8 does. One checksum or, from Node 22 on, two come before the version.
 */
const KEEP_HASHES = `
const { openSync, readSync, writeSync } = require('fs');
const file = openSync(process.argv[1], 'r+');
const head = Buffer.alloc(1024);
readSync(file, head, 0, head.length, 0);
const version = head.indexOf(process.versions.v8);
const at = [version - 8, version - 12].find((word) => word > 0 && head.readUInt32LE(word) === 1);
if (at !== undefined) writeSync(file, Buffer.alloc(4), 0, 4, at);
`;

/**
 * Makes a snapshot, then the note about it, so that the note never names an unfinished file. The note holds the launcher's
 * first line, the binary of Node, the snapshot, the options of V8 that must be the same when it is used, its size and
 * digest as `cksum` prints them, and its size, inode and ctime. It names no snapshot when the program does not run from the one
 * that was made, as with an unknown version of Node. A few older snapshots are kept.
 */
const MAKE_SNAPSHOT = `
node=$1 main=$2 note=$3 fits=$4 option=$5 dockerfile=$6 keep_hashes=$7
unset TBUILD_SNAPSHOT_NOTE
umask 077
cd "\${note%/*}" || exit
exec 9> snapshot.lock
flock -n 9 || exit
snapshot=$note-$$
make() { "$node" "$option" --no-warnings --snapshot-blob "$snapshot" --build-snapshot "$main" "$@"; }
runs() { "$node" "$option" --snapshot-blob "$snapshot" "$main" --no-cache "$@"; }

rehearsal=$(mktemp -d) || exit
mkdir "$rehearsal/context"
printf '%s' "$dockerfile" > "$rehearsal/context/Dockerfile"
set -- --root "$rehearsal/store" --progress plain --tag rehearsal "$rehearsal/context"
"$node" "$main" "$@"
make "$@" || make
cp "$snapshot" "$snapshot.made"
"$node" -e "$keep_hashes" "$snapshot"
usable=$snapshot
runs "$@" || { mv "$snapshot.made" "$snapshot" && runs "$@"; } || { rm -f "$snapshot" && usable=''; }
rm -f "$snapshot.made"
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
  const parts = [MAX_SEMI_SPACE, DOCKERFILE, KEEP_HASHES];
  const command = ['/bin/sh', '-c', MAKE_SNAPSHOT, 'sh', node, main, note, fits, ...parts];
  const child = spawn('nice', command, { stdio: 'ignore', detached: true });
  // Without a snapshot, the program starts as it did this time.
  child.on('error', () => {});
  child.unref();
}
