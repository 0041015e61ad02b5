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

/** Something mounted into the root besides /proc, /sys and /dev. */
export type SandboxMount =
  | { readonly type: 'bind'; readonly source: string; readonly target: string; readonly readonly: boolean }
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
  readonly network: 'default' | 'none' | 'host';
  /** `insecure` keeps all capabilities. */
  readonly security: 'sandbox' | 'insecure';
  /** Bytes of /dev/shm; 64 MiB when undefined. */
  readonly shmSize?: number;
  /** Resource limits of the process; -1 is no limit. */
  readonly limits?: readonly ResourceLimit[];
  /** A rule of binfmt_misc that holds for this step alone, which then is in a user namespace of its own. */
  readonly handler?: string;
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
   * A non-zero exit is a result (signal n is 128 + n).
   * @throws TbuildError PROCESS_FAILED when the sandbox could not be set up, CANCELLED on abort.
   */
  run(sandbox: Sandbox, io: ProcessIO, signal: AbortSignal): Promise<{ readonly exitCode: number }>;
}
