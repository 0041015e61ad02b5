import { mkdirSync, writeFileSync } from 'node:fs';
import { TbuildError } from '@tbuild/errors';
import { shellQuoted } from '@tbuild/linux';
import { findTool } from '../machine/tools.ts';
import { PROGRAM } from '../process/descriptors.ts';
import type { StepSetup } from '../process/step-setup.ts';

/** Link-local addresses that pasta serves to a step. */
export const PASTA_ADDRESSES = {
  /** The machine's nameserver. */
  nameserver: '169.254.1.1',
  /** The machine itself. */
  host: '169.254.1.2',
} as const;

/** Nothing in the step is reachable from outside, and the step reaches only what the machine offers to its network. */
const OPTIONS =
  '--foreground --quiet --config-net --netns-only --runas 0 -t none -u none -T none -U none --no-map-gw ' +
  `--dns-forward ${PASTA_ADDRESSES.nameserver} --map-guest-addr ${PASTA_ADDRESSES.host}`;

/** Where pasta sees its files. The AppArmor profile of Debian and Ubuntu lets it read no other directory. */
const SHOWN_AT = '/tmp';

/**
 * Wraps a command in a network namespace of its own, which pasta connects to the machine's network. Pasta runs beside
 * the command and ends with it.
 *
 * @throws TbuildError UNSUPPORTED if pasta is not installed.
 */
export function connectByPasta(
  command: readonly string[],
  { directory, leaveFile, reportTo }: Pick<StepSetup, 'directory' | 'leaveFile'> & { readonly reportTo: number },
): readonly string[] {
  requirePasta();
  const [place, namespace] = [`${directory}/pasta`, `${directory}/pasta/namespace`];
  mkdirSync(place);
  writeFileSync(namespace, '');
  const [ready, log] = [shellQuoted(`${place}/ready`), shellQuoted(`${place}/log`)];
  const pasta = [
    `mount -n --rbind ${shellQuoted(directory)} ${SHOWN_AT} || exit`,
    `exec pasta ${OPTIONS} --pid ${SHOWN_AT}/pasta/ready --netns ${SHOWN_AT}/pasta/namespace`,
  ].join('\n');
  // The shell keeps the pipe open, so that a reader sees its end only if pasta fails.
  const leave = leaveFile === undefined ? '' : `echo 0 > ${shellQuoted(leaveFile)}; `;
  const held = `${leave}setpriv --pdeathsig KILL unshare --mount sh -c ${shellQuoted(pasta)}; :`;
  const script = [
    `unshare --net=${shellQuoted(namespace)} true 2>&${reportTo} && mkfifo ${ready} || exit 125`,
    `setpriv --pdeathsig KILL sh -c ${shellQuoted(held)} > ${log} 2>&1 ${reportTo}>&- ${PROGRAM}<&- 6> ${ready} &`,
    // pasta writes its process id once the network is ready.
    `read -r answer < ${ready} || { cat ${log} >&${reportTo}; exit 125; }`,
    `exec nsenter --net=${shellQuoted(namespace)} "$@"`,
  ].join('\n');
  return ['setpriv', '--pdeathsig', 'KILL', 'unshare', '--mount', 'sh', '-c', script, 'sh', ...command];
}

function requirePasta(): void {
  if (findTool('pasta') !== undefined) return;
  throw new TbuildError('UNSUPPORTED', '--network pasta needs the program "pasta", which is not installed', {
    hint: 'Install passt (Debian, Ubuntu: apt-get install passt)',
  });
}
