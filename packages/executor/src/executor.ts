import type { Mount } from '@tbuild/snapshot';

/** A user resolved to numbers. */
export interface ProcessUser {
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups, the primary one among them as runc has it. */
  readonly groups: readonly number[];
  /** The value of HOME for a process whose environment lacks it; `/` when absent. */
  readonly home?: string;
}

/** The process of a step. */
export interface ProcessSpec {
  readonly args: readonly string[];
  /** `NAME=value`; nothing but HOME is added, and that only when it is missing. */
  readonly env: readonly string[];
  /** Absolute, inside the root. Made when it is missing. */
  readonly cwd: string;
  readonly user: ProcessUser;
}

/** A limit by its name in setrlimit(2), in lower case and without `RLIMIT_`. */
export interface ResourceLimit {
  readonly name: string;
  readonly soft: number;
  readonly hard: number;
}

/** What all processes of a step may use together. */
export interface Resources {
  /** Bytes. */
  readonly memory?: number;
  /** Bytes of memory and swap together; -1 is no limit. */
  readonly memorySwap?: number;
  /** Relative to 1024, where processors are short. */
  readonly cpuShares?: number;
  /** Microseconds; `cpuQuota` of them may be used in each, by all processors together. */
  readonly cpuPeriod?: number;
  readonly cpuQuota?: number;
  /** Lists of numbers and ranges, e.g. `0-2,4`. */
  readonly cpusetCpus?: string;
  readonly cpusetMems?: string;
  /** How many processes and threads there may be. */
  readonly pids?: number;
}

/** Something mounted into the root besides /proc, /sys and /dev. */
export type SandboxMount =
  | {
      readonly type: 'bind';
      readonly source: string;
      readonly target: string;
      readonly readonly: boolean;
      /** A file of which nothing may remain, even of a copy, whoever is killed. */
      readonly isSecret?: boolean;
    }
  | { readonly type: 'overlay'; readonly mount: Mount; readonly target: string }
  | { readonly type: 'tmpfs'; readonly target: string; readonly size?: number; readonly mode?: number };

/** Everything about the place a step runs in. */
export interface Sandbox {
  /** The tree: an active snapshot's directories and its overlay. */
  readonly root: { readonly upper: string; readonly lowers: readonly string[]; readonly mount: Mount };
  /** In the order in which they are mounted; /etc/hosts and /etc/resolv.conf are among them. */
  readonly mounts: readonly SandboxMount[];
  readonly process: ProcessSpec;
  readonly hostname: string;
  /** `default` is the machine's, as `host` is; `pasta` one of its own that reaches outside. */
  readonly network: 'default' | 'none' | 'host' | 'pasta';
  /** `insecure` keeps all capabilities. */
  readonly security: 'sandbox' | 'insecure';
  /** Bytes of /dev/shm; 64 MiB when undefined. */
  readonly shmSize?: number;
  /** Resource limits of the process; -1 is no limit. */
  readonly limits?: readonly ResourceLimit[];
  /** A rule of binfmt_misc that holds for this step alone, which then is in a user namespace of its own. */
  readonly handler?: string;
  readonly resources?: Resources;
  /** The control group under which the step gets one, from the root of the hierarchy. */
  readonly cgroupParent?: string;
}

/** How a step ended. */
export interface StepEnd {
  /** Signal n is 128 + n. */
  readonly exitCode: number;
  /** Whether one of its processes was killed at the step's memory limit. */
  readonly reachedMemoryLimit: boolean;
}

/** Where the process's output goes. Standard input is empty. */
export interface ProcessIO {
  stdout(data: Uint8Array): void;
  stderr(data: Uint8Array): void;
}

/**
 * Runs one process in one sandbox to its end. Whatever the process left behind (daemons, mounts) is gone
 * when `run` returns, and mount points that were missing in the tree and stayed empty are removed
 * again. Implementations pass `@tbuild/executor/testsuite`.
 */
export interface Executor {
  readonly name: 'namespace' | 'oci' | 'chroot';
  /**
   * A non-zero exit is a result.
   * @throws TbuildError PROCESS_FAILED when the sandbox could not be set up, UNSUPPORTED when the machine lacks
   * something that it asks for, CANCELLED on abort.
   */
  run(sandbox: Sandbox, io: ProcessIO, signal: AbortSignal): Promise<StepEnd>;
}
