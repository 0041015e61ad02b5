import { closeSync, constants, openSync } from 'node:fs';
import { bpfProgram, type AllowedDevice } from './device-program.ts';
import { libraryCall, systemError } from './libc.ts';

const BPF_PROG_LOAD = 5;
const BPF_PROG_ATTACH = 8;
const BPF_PROG_TYPE_CGROUP_DEVICE = 15;
const BPF_CGROUP_DEVICE = 6;
const BPF_F_ALLOW_MULTI = 2;
/** The number of bpf(2), by `process.arch`. */
const CALLS: Readonly<Record<string, number>> = { x64: 321, arm64: 280 };

const loadAttributes = {
  name: 'BpfLoad',
  members: {
    program_type: 'uint32_t',
    instruction_count: 'uint32_t',
    instructions: 'const void *',
    license: 'const char *',
    rest: 'uint64_t[12]',
  },
} as const;
const load = libraryCall('long syscall(long number, long command, BpfLoad *attributes, long size)', loadAttributes);
const attach = libraryCall('long syscall(long number, long command, const void *attributes, long size)');

/**
 * A program in the kernel that allows or denies the use of devices. The kernel keeps it as long as this process or a
 * control group uses it.
 */
export interface DeviceFilter {
  /** Limits the processes of a control group, given by its directory, to the allowed devices. */
  attach(group: string): void;
}

/**
 * Loads a filter like the one that containers have on their devices. It lets processes make nodes of any device.
 * @throws the system's error if this process may not load one or the kernel lacks support
 */
export function loadDeviceFilter(allowed: readonly AllowedDevice[]): DeviceFilter {
  const number = CALLS[process.arch] ?? -1;
  const instructions = bpfProgram(allowed);
  const attributes = {
    program_type: BPF_PROG_TYPE_CGROUP_DEVICE,
    instruction_count: instructions.length / 8,
    instructions,
    license: 'MIT',
    rest: Array.from({ length: 12 }, () => 0),
  };
  const program = load(number, BPF_PROG_LOAD, attributes, LOAD_SIZE);
  if (program < 0) throw systemError('bpf', 'device filter');
  return {
    attach(group) {
      const directory = openSync(group, constants.O_RDONLY | constants.O_DIRECTORY);
      try {
        const words = new Uint8Array(Uint32Array.of(directory, program, BPF_CGROUP_DEVICE, BPF_F_ALLOW_MULTI).buffer);
        if (attach(number, BPF_PROG_ATTACH, words, words.length) < 0) throw systemError('bpf', group);
      } finally {
        closeSync(directory);
      }
    },
  };
}

/** The size of `BpfLoad` in bytes. The kernel takes the rest of its larger structure as zeros. */
const LOAD_SIZE = 4 + 4 + 8 + 8 + 12 * 8;
