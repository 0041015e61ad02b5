import { spawnSync } from 'node:child_process';
import { dirname } from 'node:path';
import { TOOL_ENVIRONMENT } from '../machine/tools.ts';

const answers = new Map<string, boolean>();

/**
 * Returns whether a child process can join a group. It tries once for all groups with the same parent: a container
 * may be allowed to create groups that its processes, which come from outside the delegated subtree, cannot join.
 */
export function canEnter(group: string): boolean {
  const parent = dirname(group);
  const known = answers.get(parent) ?? enters(group);
  answers.set(parent, known);
  return known;
}

function enters(group: string): boolean {
  const args = ['-c', 'echo 0 > "$1"', 'sh', `${group}/cgroup.procs`];
  return spawnSync('sh', args, { env: TOOL_ENVIRONMENT, stdio: 'ignore' }).status === 0;
}
