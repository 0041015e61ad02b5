import { spawn } from 'node:child_process';
import type { Environment } from '../config/environment.ts';
import { LOAD_WITH_CODE } from './load-with-code.ts';
import { BASE_DOCKERFILE, REHEARSED_DOCKERFILE } from './rehearsed-dockerfile.ts';
import { SLIM_SNAPSHOT } from './slim-snapshot.ts';
import { V8_OPTIONS } from './v8-options.ts';

/**
 * Makes a snapshot, then the note about it, so that the note never names an unfinished file. The note holds the launcher's
 * first line, the binary of Node, the snapshot, the options of V8 that must be the same when it is used, its size and
 * digest as `cksum` prints them, and the size, inode and ctime of the snapshot and of Node. It names no snapshot when the
 * program does not run from the one that was made, as with an unknown version of Node. A few older snapshots are kept. No
 * registry or engine is asked for the base, and no variable of the user changes what it is.
 */
const MAKE_SNAPSHOT = `
node=$1 main=$2 note=$3 fits=$4 options=$5 base=$6 dockerfile=$7 slim=$8 load=$9
unset TBUILD_SNAPSHOT_NOTE TBUILD_ENGINE_IMAGES DOCKER_DEFAULT_PLATFORM EXPERIMENTAL_BUILDKIT_SOURCE_POLICY
umask 077
cd "\${note%/*}" || exit
exec 9> snapshot.lock
flock -n 9 || exit
snapshot=$note-$$
make() { "$node" $options --no-warnings --snapshot-blob "$snapshot" --build-snapshot "$rehearsal/load.cjs" "$@"; }
runs() { "$node" $options --snapshot-blob "$snapshot" "$main" --no-cache "$@"; }

rehearsal=$(mktemp -d) || exit
mkdir "$rehearsal/context"
set -- --root "$rehearsal/store" --progress plain --pull=never "$rehearsal/context"
printf '%s' "$base" > "$rehearsal/context/Dockerfile"
"$node" "$main" --tag base --output type=image --output "type=oci,tar=false,dest=$rehearsal/layout" "$@"
printf '%s' "$dockerfile" > "$rehearsal/context/Dockerfile"
set -- --tag rehearsal --build-context "layout=oci-layout://$rehearsal/layout" "$@"
"$node" "$main" "$@"

# A process that makes a snapshot can extract no layer and run no step, but takes over the code that another one has compiled
# for that, and for compressing layers.
export TBUILD_MAIN="$main" TBUILD_CODE="$rehearsal/code"
printf '%s' "$load" > "$rehearsal/load.cjs"
program=$(command -v nice)
mkdir "$rehearsal/step"
cp -L --parents "$program" $(ldd "$program" | grep -o '/[^ )]*') "$rehearsal/step"
printf 'FROM layout\\nCOPY . /\\nRUN --network=none ["%s"]\\n' "$program" > "$rehearsal/step/Dockerfile"
"$node" $options "$rehearsal/load.cjs" --root "$rehearsal/other" --progress plain \\
  --build-context "layout=oci-layout://$rehearsal/layout" --output "type=oci,tar=false,dest=$rehearsal/result" "$rehearsal/step"

make "$@" || make
cp "$snapshot" "$snapshot.made"
"$node" -e "$slim" "$snapshot"
usable=$snapshot
runs "$@" || { mv "$snapshot.made" "$snapshot" && runs "$@"; } || { rm -f "$snapshot" && usable=''; }
rm -f "$snapshot.made"
rm -rf "$rehearsal"

digest='' seen=''
if [ -n "$usable" ]; then
  digest=$(cksum < "$usable")
  set -- $(TZ=UTC0 LC_ALL=C stat -L -c '%s %i %z' "$usable" "$node")
  seen=$*
fi
printf '%s\\n' "$fits" "$node" "$usable" "$options" "$digest" "$seen" > "$snapshot.note" && mv -f "$snapshot.note" "$note"
ls -t snapshot-* | tail -n +9 | xargs rm -f
`;

/**
 * Makes the snapshot that the launcher starts the program from next time, if the launcher asked for one: the heap of a
 * process that has loaded the program and built twice. Nobody waits for the process that makes it.
 */
export function makeStartSnapshot({ variables }: Environment): void {
  const { TBUILD_SNAPSHOT_NOTE: note, TBUILD_SNAPSHOT_FITS: fits } = variables;
  const [node, main] = process.argv;
  if (note === undefined || fits === undefined || node === undefined || main === undefined) return;
  const parts = [V8_OPTIONS.join(' '), BASE_DOCKERFILE, REHEARSED_DOCKERFILE, SLIM_SNAPSHOT, LOAD_WITH_CODE];
  const command = ['/bin/sh', '-c', MAKE_SNAPSHOT, 'sh', node, main, note, fits, ...parts];
  const child = spawn('nice', command, { stdio: 'ignore', detached: true });
  // Without a snapshot, the program starts as it did this time.
  child.on('error', () => {});
  child.unref();
}
