import { spawnSync } from 'node:child_process';
import { dirname } from 'node:path';
import { TOOL_ENVIRONMENT } from '../machine/tools.ts';

const answers = new Map<string, boolean>();

/**
 * Whether a process of ours can enter a group, found out by doing it, once for all groups beside it: a container may be
 * let make groups that its processes, which come from outside of its part of the hierarchy, cannot enter.
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
