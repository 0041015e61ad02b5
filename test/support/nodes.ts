import { join } from 'node:path';

/** The versions of Node that are supported besides the one that runs the tests: `test/nodes`. */
export const otherNodes = ['22', '24'].map((version) => ({
  name: `Node ${version}`,
  path: join(import.meta.dirname, `../nodes/node_modules/node${version}-${process.arch}/bin/node`),
}));

/** Returns the environment that runs the program with that Node. */
export function withNode(path: string | undefined): Readonly<Record<string, string>> {
  return path === undefined ? {} : { TBUILD_NODE: path };
}
