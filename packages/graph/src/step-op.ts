import type { Digest, Platform } from '@tbuild/oci';

/** The origin of files: a named context, another step's tree, or the Dockerfile itself. */
export type FileSource =
  | { readonly kind: 'context'; readonly name: string }
  | { readonly kind: 'step'; readonly source: number }
  | { readonly kind: 'inline'; readonly files: readonly InlineFile[] };

/** A heredoc of COPY, ADD or RUN. */
export interface InlineFile {
  readonly name: string;
  readonly content: string;
  /** 0644 by default; scripts that RUN starts have 0755. */
  readonly mode?: number;
}

/** A base image, with its origin and its identity. Its files are fetched only when needed. */
export interface ImageOp {
  readonly kind: 'image';
  /** The full reference, for messages and for fetching. */
  readonly reference: string;
  readonly source: ImageSource;
  readonly manifest: Digest;
  readonly diffIds: readonly Digest[];
  readonly platform: Platform;
}

/** The place that an image is read from; `layout` is a directory in OCI image layout. */
export type ImageSource =
  | { readonly kind: 'registry' }
  | { readonly kind: 'layout'; readonly path: string }
  | { readonly kind: 'store' };

/** The user of a process or the owner of a file, as written. It is resolved in the tree's own /etc/passwd. */
export type UserSpec = string;

/** RUN: one process in the base's tree. */
export interface RunOp {
  readonly kind: 'run';
  readonly args: readonly string[];
  /** `NAME=value`, in order. */
  readonly env: readonly string[];
  readonly cwd: string;
  /** Empty for root. */
  readonly user: UserSpec;
  readonly hostname: string;
  readonly network: 'default' | 'none' | 'host';
  readonly security: 'sandbox' | 'insecure';
  readonly mounts: readonly RunMount[];
  /** Devices of CDI specifications; undefined without any. */
  readonly devices?: readonly RunDevice[];
  readonly platform: Platform;
}

/** A device that a step asks for. */
export interface RunDevice {
  /** `vendor.com/class`, which is its first one, `vendor.com/class=name`, `…=*` for all, or `…=annotated-class`. */
  readonly name: string;
  /** Whether the step fails without it. */
  readonly required: boolean;
}

export type RunMount =
  | {
      readonly type: 'bind';
      readonly target: string;
      readonly from: FileSource;
      /** A clean path inside `from` without leading slash; the empty string is the root. */
      readonly source: string;
      /** False if writes are allowed and discarded. */
      readonly readonly: boolean;
    }
  | {
      readonly type: 'cache';
      readonly target: string;
      readonly id: string;
      readonly sharing: 'shared' | 'private' | 'locked';
      readonly readonly: boolean;
      readonly from?: FileSource;
      readonly source?: string;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
    }
  | { readonly type: 'tmpfs'; readonly target: string; /** Bytes. */ readonly size?: number }
  | {
      readonly type: 'secret' | 'ssh';
      readonly id: string;
      /** Undefined for a secret that is only exposed as a variable. */
      readonly target?: string;
      readonly env?: string;
      readonly required: boolean;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
    };

/** A mode change for copied files: an octal number, or chmod(1)'s symbolic form. */
export type ModeChange = number | string;

/** The files that a COPY or ADD takes from one source. */
export interface CopySelection {
  readonly from: FileSource;
  /**
   * Clean paths or patterns below the root of `from`, without leading slash; the empty string is the root.
   * With `parents`, `a/./b` keeps only the part after `/./` below the destination.
   */
  readonly sources: readonly string[];
  /** ADD: unpacks archives among the sources. */
  readonly unpack: boolean;
  /** True if files keep their owner (from a stage or image), false if they become root's (from a context). */
  readonly keepOwner: boolean;
}

/** COPY and ADD of files, into the base's tree or, without a base, into an empty one (`--link`). */
export interface CopyOp extends CopySelection {
  readonly kind: 'copy';
  /** The files that the same instruction takes from other sources, in order, copied after the op's own. */
  readonly more?: readonly CopySelection[];
  /** Absolute; a trailing slash marks a directory. */
  readonly destination: string;
  readonly chown?: UserSpec;
  readonly chmod?: ModeChange;
  readonly exclude: readonly string[];
  /** `--parents`: keeps the source's path below the destination. */
  readonly parents: boolean;
}

/** WORKDIR: the directory and its missing parents. */
export interface MkdirOp {
  readonly kind: 'mkdir';
  readonly path: string;
  readonly mode: number;
  readonly user: UserSpec;
}

/** ADD of a URL: a tree with one file. */
export interface HttpOp {
  readonly kind: 'http';
  readonly url: string;
  readonly filename: string;
  readonly checksum?: Digest;
}

/** ADD of a git repository: a checkout. */
export interface GitOp {
  readonly kind: 'git';
  readonly url: string;
  readonly ref?: string;
  readonly subdirectory?: string;
  readonly keepGitDir: boolean;
  readonly submodules: boolean;
  /** Gives all files the time of the commit instead of the checkout. */
  readonly commitTime?: boolean;
  /** A prefix that the commit must have. */
  readonly checksum?: string;
  /** Fetches the commit in `checksum`, a full ID, whatever the ref points to. */
  readonly byCommit?: boolean;
}

/** `--link`: puts the source's own layer on the base and touches no file. */
export interface StackOp {
  readonly kind: 'stack';
}

/** The work of a step as plain data that JSON can hold. */
export type StepOp = ImageOp | RunOp | CopyOp | MkdirOp | HttpOp | GitOp | StackOp;
