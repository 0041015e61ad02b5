import { accessSync, constants, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TbuildError } from '@tbuild/errors';
import { makeDirectory } from '@tbuild/linux';
import { defaultFilter } from '../seccomp/default-filter.ts';
import { type SyscallMachine, isSyscallMachine } from '../syscalls/syscall-program.ts';
import { emulatedOn } from './emulated-on.ts';

/** What the program that enters a sandbox needs to know about this host. */
export interface HostDescription {
  readonly machine: SyscallMachine;
  /** The number of the kernel's last capability. */
  readonly lastCapability: number;
  /** The capabilities of this process, as a mask. */
  readonly permitted: bigint;
  /** The seccomp filter of confined steps. None where this process itself is emulated: qemu refuses filters. */
  readonly filter?: Uint8Array;
  /** The most bytes of a core file that this process may allow; negative for any number. */
  readonly largestCore: number;
  /** False in a user namespace with a single id, whose processes cannot change their groups. */
  readonly setsGroups: boolean;
}

/**
 * Creates the directory for steps, and checks that this host can run them.
 *
 * @throws TbuildError UNSUPPORTED on other processors, or if files in the directory cannot be executed.
 */
export function describeHost(runDirectory: string): HostDescription {
  const machine = requireMachine();
  makeDirectory(runDirectory, { mode: 0o711 });
  requireExecutable(runDirectory);
  return {
    machine,
    lastCapability: Number(readFileSync('/proc/sys/kernel/cap_last_cap', 'utf8')),
    permitted: permittedCapabilities(),
    filter: emulatedOn() === undefined ? defaultFilter(machine) : undefined,
    largestCore: largestCore(),
    setsGroups: !readFileSync('/proc/self/setgroups', 'utf8').startsWith('deny'),
  };
}

function largestCore(): number {
  return Number(/^Max core file size +\S+ +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? -1);
}

function permittedCapabilities(): bigint {
  return BigInt(`0x${readFileSync('/proc/self/status', 'utf8').match(/^CapPrm:\s*([0-9a-f]+)$/m)?.[1] ?? '0'}`);
}

/** @throws TbuildError UNSUPPORTED on other processors. */
export function requireMachine(): SyscallMachine {
  if (isSyscallMachine(process.arch)) return process.arch;
  throw new TbuildError('UNSUPPORTED', `RUN steps cannot be isolated on ${process.arch}: expected x64 or arm64`);
}

/** Checks that files in the directory can be executed: each step executes a program written there. */
function requireExecutable(directory: string): void {
  const path = join(directory, `probe-${process.pid}`);
  try {
    writeFileSync(path, '', { mode: 0o700 });
    accessSync(path, constants.X_OK);
  } catch (cause) {
    throw new TbuildError('UNSUPPORTED', `Programs cannot be executed in "${directory}"`, {
      hint: 'Choose a store with --root on a file system that is not mounted noexec',
      cause,
    });
  } finally {
    rmSync(path, { force: true });
  }
}
