import type { Digest, Platform } from '@tbuild/oci';

/** Where files come from: a context by its name, another step's tree, or the Dockerfile itself. */
export type FileSource =
  | { readonly kind: 'context'; readonly name: string }
  | { readonly kind: 'step'; readonly source: number }
  | { readonly kind: 'inline'; readonly files: readonly InlineFile[] };

/** A heredoc of COPY, ADD or RUN. */
export interface InlineFile {
  readonly name: string;
  readonly content: string;
  /** 0644 when not given; scripts that RUN starts have 0755. */
  readonly mode?: number;
}

/** A base image, by where it lives and what it is; never fetched before its files are needed. */
export interface ImageOp {
  readonly kind: 'image';
  /** Full reference, for messages and for fetching. */
  readonly reference: string;
  readonly source: ImageSource;
  readonly manifest: Digest;
  readonly diffIds: readonly Digest[];
  readonly platform: Platform;
}

/** Where an image is read from; `layout` is a directory in OCI image layout. */
export type ImageSource =
  | { readonly kind: 'registry' }
  | { readonly kind: 'layout'; readonly path: string }
  | { readonly kind: 'store' };

/** Who a process runs as or a file belongs to: as written, resolved in the tree's own /etc/passwd. */
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
  readonly platform: Platform;
}

export type RunMount =
  | {
      readonly type: 'bind';
      readonly target: string;
      readonly from: FileSource;
      /** Path inside `from`, cleaned, without leading slash; empty string = the root. */
      readonly source: string;
      /** False: writes are allowed and thrown away. */
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
      /** Undefined for a secret that only becomes a variable. */
      readonly target?: string;
      readonly env?: string;
      readonly required: boolean;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
    };

/** How the mode of what is copied changes: octal number, or chmod(1)'s symbolic form. */
export type ModeChange = number | string;

/** What a COPY or ADD takes from one place. */
export interface CopySelection {
  readonly from: FileSource;
  /**
   * Paths or patterns below the root of `from`, cleaned, without leading slash; empty string = the root.
   * With `parents`, `a/./b` keeps only what follows the `/./` below the destination.
   */
  readonly sources: readonly string[];
  /** ADD: unpack archives among the sources. */
  readonly unpack: boolean;
  /** Files keep their owner (from a stage or image) or become root's (from a context). */
  readonly keepOwner: boolean;
}

/** COPY and ADD of files: into the base's tree, or with no base into an empty one (`--link`). */
export interface CopyOp extends CopySelection {
  readonly kind: 'copy';
  /** What the same instruction takes from other places, in order; copied after the op's own sources. */
  readonly more?: readonly CopySelection[];
  /** Absolute; a trailing slash says that it is a directory. */
  readonly destination: string;
  readonly chown?: UserSpec;
  readonly chmod?: ModeChange;
  readonly exclude: readonly string[];
  /** `--parents`: keep the source's path below the destination. */
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
  /** The time of all files is the commit's, instead of when they were written. */
  readonly commitTime?: boolean;
  /** Prefix that the commit must have. */
  readonly checksum?: string;
}

/** `--link`: the source's own layer put on the base; no file is touched. */
export interface StackOp {
  readonly kind: 'stack';
}

/** What a step does; plain data, JSON-able. */
export type StepOp = ImageOp | RunOp | CopyOp | MkdirOp | HttpOp | GitOp | StackOp;
