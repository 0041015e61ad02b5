/**
 * A script for Node that makes the file of a snapshot start faster.
 *
 * Tells V8 to keep the hashes in a snapshot, and with them their random seed: computing others at each start takes an eighth of a
 * small build. The second word of its header says whether V8 does. One checksum or, from Node 22 on, two come before the version.
 *
 * Drops the code that Node keeps of its own modules, two fifths of the file: the heap has those that a build needs. The file ends
 * with it: a count, and then as many names and codes, each after its length. From the end towards the start, the script counts the
 * parts that lie between each byte and the end of the file.
 */
export const SLIM_SNAPSHOT = `
const { openSync, readFileSync, ftruncateSync, writeSync } = require('fs');
const bytes = readFileSync(process.argv[1]);
const file = openSync(process.argv[1], 'r+');
const version = bytes.subarray(0, 1024).indexOf(process.versions.v8);
const at = [version - 8, version - 12].find((word) => word > 0 && bytes.readUInt32LE(word) === 1);
if (at !== undefined) writeSync(file, Buffer.alloc(4), 0, 4, at);

const end = bytes.length;
const parts = new Int32Array(end + 1).fill(-1);
parts[end] = 0;
let table;
for (let at = end - 8; at >= 0; at--) {
  const size = bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 2 ** 32;
  const next = at + 8 + size;
  if (next <= end && parts[next] >= 0) parts[at] = parts[next] + 1;
  if (size > 0 && parts[at + 8] === 2 * size) table = at;
}
if (table !== undefined) {
  writeSync(file, Buffer.alloc(8), 0, 8, table);
  ftruncateSync(file, table + 8);
}
`;
