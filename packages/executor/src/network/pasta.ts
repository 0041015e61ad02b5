import { mkdirSync, writeFileSync } from 'node:fs';
import { TbuildError } from '@tbuild/errors';
import { quote } from '../sandbox/mount-command.ts';

import type { StepSetup } from '../process/step-setup.ts';
import { findTool } from '../machine/tools.ts';
import { PROGRAM } from '../process/descriptors.ts';

/** Addresses that a step reaches through pasta, which no network hands out. */
export const PASTA_ADDRESSES = {
  /** The machine's nameserver. */
  nameserver: '169.254.1.1',
  /** The machine itself. */
  host: '169.254.1.2',
} as const;

/** Nothing of the step is reachable from outside, and of the machine only what it offers to its network. */
const OPTIONS =
  '--foreground --quiet --config-net --netns-only --runas 0 -t none -u none -T none -U none --no-map-gw ' +
  `--dns-forward ${PASTA_ADDRESSES.nameserver} --map-guest-addr ${PASTA_ADDRESSES.host}`;

/** Where pasta finds its files: its AppArmor profile, which Debian and Ubuntu install with it, lets it read no others. */
const SHOWN_AT = '/tmp';

/**
 * The command in a network namespace of its own that pasta, which runs beside it, connects to the machine's network: what
 * it opens, pasta opens outside. Pasta ends with the command.
 *
 * @throws TbuildError UNSUPPORTED where it is not installed.
 */
export function throughPasta(
  command: readonly string[],
  { directory, leaveFile, reportTo }: Pick<StepSetup, 'directory' | 'leaveFile'> & { readonly reportTo: number },
): readonly string[] {
  requirePasta();
  const [place, namespace] = [`${directory}/pasta`, `${directory}/pasta/namespace`];
  mkdirSync(place);
  writeFileSync(namespace, '');
  const [ready, log] = [quote(`${place}/ready`), quote(`${place}/log`)];
  const pasta = [
    `mount -n --rbind ${quote(directory)} ${SHOWN_AT} || exit`,
    `exec pasta ${OPTIONS} --pid ${SHOWN_AT}/pasta/ready --netns ${SHOWN_AT}/pasta/namespace`,
  ].join('\n');
  // The shell above it holds the pipe open, so that there is an end to be read when pasta fails, and only then.
  const leave = leaveFile === undefined ? '' : `echo 0 > ${quote(leaveFile)}; `;
  const held = `${leave}setpriv --pdeathsig KILL unshare --mount sh -c ${quote(pasta)}; :`;
  const script = [
    `unshare --net=${quote(namespace)} true 2>&${reportTo} && mkfifo ${ready} || exit 125`,
    `setpriv --pdeathsig KILL sh -c ${quote(held)} > ${log} 2>&1 ${reportTo}>&- ${PROGRAM}<&- 6> ${ready} &`,
    // It writes its number once the network is there.
    `read -r answer < ${ready} || { cat ${log} >&${reportTo}; exit 125; }`,
    `exec nsenter --net=${quote(namespace)} "$@"`,
  ].join('\n');
  return ['setpriv', '--pdeathsig', 'KILL', 'unshare', '--mount', 'sh', '-c', script, 'sh', ...command];
}

function requirePasta(): void {
  if (findTool('pasta') !== undefined) return;
  throw new TbuildError('UNSUPPORTED', 'Network pasta takes the program "pasta", which is not installed', {
    hint: 'Install passt (Debian, Ubuntu: apt-get install passt)',
  });
}
