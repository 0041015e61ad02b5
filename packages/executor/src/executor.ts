import type { Mount } from '@tbuild/snapshot';

/** A user, resolved to numbers. */
export interface ProcessUser {
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups. They include the primary group, as in runc. */
  readonly groups: readonly number[];
  /** The value of HOME if the environment lacks it. Default: `/`. */
  readonly home?: string;
}

/** The process of a step. */
export interface ProcessSpec {
  readonly args: readonly string[];
  /** `NAME=value`. The executor adds only HOME, and only if it is missing. */
  readonly env: readonly string[];
  /** Absolute, inside the root. Created if it is missing. */
  readonly cwd: string;
  readonly user: ProcessUser;
}

/** A limit, by its name in setrlimit(2) in lower case and without `RLIMIT_`. */
export interface ResourceLimit {
  readonly name: string;
  readonly soft: number;
  readonly hard: number;
}

/** Limits for all processes of a step together. */
export interface Resources {
  /** Bytes. */
  readonly memory?: number;
  /** Bytes of memory and swap together; -1 means no limit. */
  readonly memorySwap?: number;
  /** The CPU weight relative to 1024. */
  readonly cpuShares?: number;
  /** The length of a period in microseconds. All processors together may use `cpuQuota` microseconds in each. */
  readonly cpuPeriod?: number;
  readonly cpuQuota?: number;
  /** Lists of numbers and ranges, e.g. `0-2,4`. */
  readonly cpusetCpus?: string;
  readonly cpusetMems?: string;
  /** The number of processes and threads. */
  readonly pids?: number;
}

/** A mount into the root besides /proc, /sys and /dev. */
export type SandboxMount =
  | {
      readonly type: 'bind';
      readonly source: string;
      readonly target: string;
      readonly readonly: boolean;
      /** A file of which no copy may remain, whichever process is killed. */
      readonly isSecret?: boolean;
      /** A device of this machine that the step may open. */
      readonly isDevice?: boolean;
    }
  | { readonly type: 'overlay'; readonly mount: Mount; readonly target: string }
  /** The default mode is that of the directory it covers, else 1777. */
  | { readonly type: 'tmpfs'; readonly target: string; readonly size?: number; readonly mode?: number };

/** A network namespace that exists. */
export interface JoinedNetwork {
  /** Its descriptor. */
  readonly namespace: number;
}

/** A process and the environment it runs in. */
export interface Sandbox {
  /** The root file system: the directories of an active snapshot and its overlay. */
  readonly root: { readonly upper: string; readonly lowers: readonly string[]; readonly mount: Mount };
  /** In mount order; includes /etc/hosts and /etc/resolv.conf. */
  readonly mounts: readonly SandboxMount[];
  readonly process: ProcessSpec;
  readonly hostname: string;
  /** The machine's network, loopback only, or the network of an open namespace. */
  readonly network: 'host' | 'none' | JoinedNetwork;
  /** `insecure` keeps all capabilities. */
  readonly security: 'sandbox' | 'insecure';
  /** Lets changes of owners, users and groups succeed without effect. For a process of root. */
  readonly fakeIds?: boolean;
  /** The size of /dev/shm in bytes. Default: 64 MiB. */
  readonly shmSize?: number;
  /** Resource limits of the process; -1 means no limit. */
  readonly limits?: readonly ResourceLimit[];
  /** A binfmt_misc rule for this step alone, which then runs in a user namespace of its own. */
  readonly handler?: string;
  readonly resources?: Resources;
  /**
   * The descriptor of a terminal. The process has it as standard input, output and error, and as its controlling
   * terminal.
   */
  readonly terminal?: number;
  /** The parent of the step's control group, as a path from the root of the hierarchy. */
  readonly cgroupParent?: string;
}

/** How a step ended. */
export interface StepEnd {
  /** 128 + n for signal n; as in BuildKit 1 if the program could not be executed. */
  readonly exitCode: number;
  /** Why the program could not be executed, in Docker's words; the process's standard error has them too. */
  readonly notExecuted?: string;
  readonly memory: StepMemory;
}

/** What is known of the memory of a step that has ended. Sizes are in bytes. */
export interface StepMemory {
  /** Whether a process was killed because the step reached its memory limit. */
  readonly reachedLimit: boolean;
  /** Whether the kernel killed any process of the machine for lack of memory while a step ran that failed. */
  readonly machineRanOut?: boolean;
  /** The memory of this machine, or the limit of the container that tbuild is in. */
  readonly machine: number;
  /** The peak use of all processes together, where a control group counts it. */
  readonly peak?: number;
  /** The peak use of the largest process, unless that is too small to be told from the set-up. */
  readonly largestProcess?: number;
}

/** Receives the output of the process, unless it has a terminal. Its standard input is empty. */
export interface ProcessIO {
  stdout(data: Uint8Array): void;
  stderr(data: Uint8Array): void;
}

/**
 * Runs one process in one sandbox to its end. When `run` returns, everything the process left behind (daemons,
 * mounts) is gone, and mount points that were created and stayed empty are removed. Implementations pass
 * `@tbuild/executor/testsuite`.
 */
export interface Executor {
  readonly name: 'namespace' | 'oci' | 'chroot';
  /**
   * Returns how the step ended; a non-zero exit code is a result.
   * @throws TbuildError PROCESS_FAILED if the sandbox cannot be set up, SNAPSHOT if its tree was read-only, UNSUPPORTED if
   * the machine lacks something that the sandbox needs, CANCELLED on abort.
   */
  run(sandbox: Sandbox, io: ProcessIO, signal: AbortSignal): Promise<StepEnd>;
}
