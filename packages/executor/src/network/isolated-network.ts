import { closeSync, existsSync, openSync } from 'node:fs';
import { abortable } from '@tbuild/concurrency';
import { hasCode, TbuildError } from '@tbuild/errors';
import { makeDirectory } from '@tbuild/linux';
import { deviceGuardExit } from '../cgroup/device-guard.ts';
import type { JoinedNetwork } from '../executor.ts';
import { findTool } from '../machine/tools.ts';
import { type Pasta, type PastaOptions, startPasta } from './pasta.ts';

export type IsolatedNetworkOptions = Pick<PastaOptions, 'runDirectory' | 'loopbackPorts'>;

/** A network of the steps of a build, which reaches outside but not the machine's loopback services. */
export interface IsolatedNetwork {
  /** Starts it in the background, unless it is started. Does not fail: `join` does. */
  start(): void;
  /**
   * Returns the network as soon as it is ready. An abort ends only the wait.
   * @throws TbuildError UNSUPPORTED with a hint if this machine does not allow it, or if pasta has ended; the signal's reason
   * on abort.
   */
  join(signal?: AbortSignal): Promise<JoinedNetwork>;
  /** Ends it, when all its steps have ended, or while it is not ready. Does not wait until the kernel has removed it. */
  close(): Promise<void>;
}

/** Creates a network that one pasta connects. Call it from the main thread: pasta dies with the thread that started it. */
export function createIsolatedNetwork(options: IsolatedNetworkOptions): IsolatedNetwork {
  let opening: Promise<Pasta> | undefined;
  const closing = new AbortController();
  const open = (): Promise<Pasta> => (opening ??= connect({ ...options, signal: closing.signal }));
  return {
    start: () => void open().catch(() => {}),
    async join(signal) {
      const { namespace, failure: failureOf } = await abortable(open(), signal);
      const failure = failureOf();
      if (failure === undefined) return { namespace };
      throw unsupported(`pasta has ended${failure === '' ? '' : ` (${failure})`}`, 'Build again');
    },
    async close() {
      closing.abort();
      const pasta = await opening?.catch(() => undefined);
      opening = undefined;
      pasta?.kill();
    },
  };
}

async function connect(options: Omit<PastaOptions, 'program'>): Promise<Pasta> {
  const program = findTool('pasta');
  if (program === undefined) throw unsupported('pasta is not installed', 'Install passt (apt install passt)');
  if (!existsSync('/dev/net/tun'))
    throw unsupported(
      '/dev/net/tun is missing',
      'Load the module tun (modprobe tun, as root); for a container: --device /dev/net/tun',
    );
  makeDirectory(options.runDirectory, { mode: 0o711 });
  try {
    return await startOutside({ ...options, program });
  } catch (error) {
    if (!hasCode(error, 'PROCESS_FAILED')) throw error;
    throw unsupported(`pasta cannot connect a network (${error.message})`, adviceFor(error.message));
  }
}

/** Starts pasta outside of the group that keeps steps from devices. */
async function startOutside(options: PastaOptions): Promise<Pasta> {
  const path = await deviceGuardExit();
  if (path === undefined) return startPasta(options);
  const leaveFile = openSync(path, 'w');
  try {
    return await startPasta({ ...options, leaveFile });
  } finally {
    closeSync(leaveFile);
  }
}

function adviceFor(message: string): string {
  if (message.includes('/dev/net/tun'))
    return 'Let everybody open it (chmod 666 /dev/net/tun, as root); for a container: --device /dev/net/tun';
  if (/unrecognized option|Usage:/.test(message)) return 'Install a newer passt';
  return 'Check the profiles of AppArmor or SELinux for pasta, and the network of this machine';
}

function unsupported(reason: string, hint: string): TbuildError {
  return new TbuildError('UNSUPPORTED', reason, { hint });
}
