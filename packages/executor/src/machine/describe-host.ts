import { accessSync, constants, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TbuildError } from '@tbuild/errors';
import { type SyscallMachine, isSyscallMachine } from '../syscalls/syscall-program.ts';
import { defaultFilter } from '../seccomp/default-filter.ts';

/** What the program that enters a sandbox has to know of this machine. */
export interface HostDescription {
  readonly machine: SyscallMachine;
  /** The number of the kernel's last capability. */
  readonly lastCapability: number;
  /** The capabilities that we have, as a mask. */
  readonly permitted: bigint;
  readonly filter: Uint8Array;
  /** False in a user namespace of a single id, whose processes keep the groups that they have. */
  readonly setsGroups: boolean;
}

/**
 * Makes the directory that steps are put together in, and makes sure of what they need.
 *
 * @throws TbuildError UNSUPPORTED on other processors, or where nothing in the directory may be executed.
 */
export function describeHost(runDirectory: string): HostDescription {
  const machine = requireMachine();
  mkdirSync(runDirectory, { recursive: true, mode: 0o711 });
  requireExecutable(runDirectory);
  return {
    machine,
    lastCapability: Number(readFileSync('/proc/sys/kernel/cap_last_cap', 'utf8')),
    permitted: permittedCapabilities(),
    filter: defaultFilter(machine),
    setsGroups: !readFileSync('/proc/self/setgroups', 'utf8').startsWith('deny'),
  };
}

function permittedCapabilities(): bigint {
  return BigInt(`0x${readFileSync('/proc/self/status', 'utf8').match(/^CapPrm:\s*([0-9a-f]+)$/m)?.[1] ?? '0'}`);
}

function requireMachine(): SyscallMachine {
  if (isSyscallMachine(process.arch)) return process.arch;
  throw new TbuildError('UNSUPPORTED', `RUN steps cannot be contained on ${process.arch}, only on x64 and arm64`);
}

/** The program that enters a sandbox is made for each step. */
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
