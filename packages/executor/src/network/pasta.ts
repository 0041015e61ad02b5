import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { TbuildError } from '@tbuild/errors';
import { openPipe } from '@tbuild/linux';
import { DIE_WITH_PARENT } from '../enter/process-calls.ts';
import type { JoinedNetwork } from '../executor.ts';
import { toolEnvironment } from '../machine/tools.ts';
import { openNamelessPipe, type OutputPipe } from '../process/output-pipe.ts';
import { killInit, sendSignal } from '../process/run-process.ts';
import { may, must, type Syscall } from '../syscalls/syscall-program.ts';
import { CLONE_NEWNET } from './join-network.ts';
import { FIRST_MORE, type Helper, type HelperOptions, startHelper } from './start-helper.ts';

/** The addresses by which the machine's nameserver can be asked, where it listens only on loopback. */
export const NAMESERVERS = { ipv4: '169.254.1.1', ipv6: 'fd74:6275:696c:64::53' } as const;

/**
 * Nothing in the network is reachable from outside. Its own addresses are those of nobody else, so that the machine is
 * reached at all of its addresses but loopback. Pasta drops its capabilities, but stays the user who may enter the
 * namespace.
 */
const OPTIONS =
  '--foreground --quiet --config-net --netns-only --no-netns-quit --runas 0 --ns-ifname eth0 --no-map-gw ' +
  '-t none -u none -U none -a 198.19.255.1 -n 30 -g 198.19.255.2 -a fd74:6275:696c:64::1 -g fd74:6275:696c:64::2 ' +
  `--dns-forward ${NAMESERVERS.ipv4} --dns-forward ${NAMESERVERS.ipv6}`;

/** The namespace is standard input; pasta writes its process id to standard output once the network is ready. */
const PLACES = '--netns /proc/self/fd/0 --pid /proc/self/fd/1';

export interface PastaOptions extends Pick<HelperOptions, 'runDirectory' | 'signal'> {
  /** The path of pasta. */
  readonly program: string;
  /** Ports of the machine's loopback that the namespace sees at its own. */
  readonly loopbackPorts: readonly number[];
  /** The `cgroup.procs` file by which pasta leaves a group whose filter would refuse /dev/net/tun. */
  readonly leaveFile?: number;
}

/** A network namespace that pasta connects. */
export interface Pasta extends JoinedNetwork {
  /** Returns what it said if it has ended. */
  failure(): string | undefined;
  /** Kills it. The namespace lasts as long as a process in it. */
  kill(): void;
}

/**
 * Creates a network namespace and starts a pasta for it. Waits until the network is ready.
 * @throws TbuildError PROCESS_FAILED with what pasta says, UNSUPPORTED if there may be no namespace; the signal's reason on
 * abort.
 */
export async function startPasta(options: PastaOptions): Promise<Pasta> {
  const log = openNamelessPipe();
  let said = '';
  log.output.on('data', (data: Buffer) => (said = `${said}${data.toString()}`.slice(-MAX_LOG)));
  let hasEnded = false;
  log.output.on('close', () => (hasEnded = true));
  let started: Started | undefined;
  const end = (): void => {
    if (started?.pasta.child.isRunning() === true) killInit(started.pasta.child.pid);
    log[Symbol.dispose]();
  };
  try {
    started = startBoth(options, log);
    const { holder, pasta } = started;
    const [isHeld, isReady] = await Promise.all([holder.isReady, pasta.isReady]);
    if (!isHeld) throw refused();
    if (!isReady && !hasEnded) await once(log.output, 'close');
    if (!isReady) throw new TbuildError('PROCESS_FAILED', said.trim().split('\n')[0] || 'it could not be started');
    const namespace = openSync(`/proc/${holder.child.pid}/ns/net`, 'r');
    const kill = (): void => {
      closeSync(namespace);
      end();
    };
    return { namespace, kill, failure: () => (hasEnded ? said.trim().split('\n').at(-1) : undefined) };
  } catch (error) {
    end();
    throw error;
  } finally {
    if (started !== undefined) letGo(started.holder);
  }
}

const MAX_LOG = 2000;

function refused(): TbuildError {
  return new TbuildError('UNSUPPORTED', 'a network namespace is not allowed', {
    hint: 'For a container: --cap-add SYS_ADMIN --device /dev/net/tun',
  });
}

interface Started {
  /** Keeps the namespace. */
  readonly holder: Helper;
  readonly pasta: Helper;
}

function letGo({ child }: Helper): void {
  if (child.isRunning()) sendSignal(child.pid, 'SIGKILL');
}

/**
 * Starts both processes at once, since this one may plan a build for long before it sees that the first is ready. A pipe,
 * of which the holder closes its end, tells the other that there is a namespace.
 */
function startBoth({ program, loopbackPorts, leaveFile, ...rest }: PastaOptions, log: OutputPipe): Started {
  const opened: number[] = [];
  let holder: Helper | undefined;
  try {
    const input = openSync('/dev/null', 'r+');
    opened.push(input);
    const { reader, writer } = openPipe();
    opened.push(reader, writer);
    holder = startHelper(HOLD_NAMESPACE, { ...rest, input, errors: input, more: [writer] });
    const ports = loopbackPorts.length === 0 ? 'none' : loopbackPorts.join(',');
    const args = ['pasta', ...OPTIONS.split(' '), ...PLACES.split(' '), '-T', ports];
    const calls = [
      ...(leaveFile === undefined ? [] : [may('write', FIRST_MORE + 1, { text: '0' }, 1)]),
      must('ppoll', { numbers: [FIRST_MORE, 0] }, 1, 0, 0, 0),
      must('close', 0),
      must('openat', 0, { text: `/proc/${holder.child.pid}/ns/net` }, 0),
      ...becomeChildOfInit(program, args),
    ];
    const more = leaveFile === undefined ? [reader] : [reader, leaveFile];
    return { holder, pasta: startHelper(calls, { ...rest, input, errors: log.input, more }) };
  } catch (error) {
    if (holder !== undefined) letGo(holder);
    throw error;
  } finally {
    log.closeInput();
    opened.forEach((descriptor) => closeSync(descriptor));
  }
}

const CLONE_NEWPID = 0x2000_0000;

const HOLD_NAMESPACE: readonly Syscall[] = [
  must('unshare', CLONE_NEWNET),
  must('close', FIRST_MORE),
  must('write', 1, { text: '1' }, 1),
  must('ppoll', 0, 0, 0, 0),
];

/** Pasta is the child of pid 1 of its own pid namespace, which dies with this process, whatever pasta does. */
function becomeChildOfInit(program: string, args: readonly string[]): readonly Syscall[] {
  const run = must('execve', { text: program }, { texts: args }, { texts: toolEnvironment() });
  return [must('unshare', CLONE_NEWPID), must('fork'), DIE_WITH_PARENT, must('fork'), run];
}
