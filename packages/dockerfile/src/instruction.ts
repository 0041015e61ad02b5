import type { SourceRange } from '@tbuild/errors';

/** The members that all instructions have. */
export interface InstructionBase {
  /** The whole instruction as written, including heredoc bodies, without the final line break. */
  readonly text: string;
  /** The location of `text`. */
  readonly location: SourceRange;
  /** The instruction on one line, with continuations joined, without comments and heredoc bodies. */
  readonly line: string;
  /** The numbers of the empty lines inside, which Docker warns about. */
  readonly emptyLines: readonly number[];
  /** The keyword as written, for casing checks. */
  readonly keyword: string;
  /** The comment lines directly above, without `#` and surrounding blanks. */
  readonly comments: readonly string[];
}

/** An inline file of a COPY, ADD or RUN. */
export interface Heredoc {
  /** The word after `<<` without quotes; the name of the file in COPY and ADD. */
  readonly name: string;
  /** The body without the tabs that `<<-` strips. It ends in a line break unless empty. */
  readonly content: string;
  /** The body as written, for a shell that reads the whole heredoc. */
  readonly raw: string;
  /** False if any part of the word was quoted. */
  readonly expand: boolean;
  /** True for `<<-`. */
  readonly stripTabs: boolean;
  readonly fileDescriptor?: number;
  readonly location: SourceRange;
}

/** A command line in one of Docker's forms: a text for the shell, or an argument vector. */
export type CommandLine =
  | { readonly form: 'shell'; readonly text: string }
  | { readonly form: 'exec'; readonly args: readonly string[] };

/** A word as written, with quotes and escapes, and its location. */
export interface Word {
  readonly text: string;
  readonly location: SourceRange;
}

export interface KeyValue {
  readonly key: Word;
  /** Undefined only for an ARG without a default. */
  readonly value?: Word;
}

export interface FromInstruction extends InstructionBase {
  readonly kind: 'from';
  readonly image: Word;
  readonly platform?: Word;
  /** Lower-cased stage name. */
  readonly name?: string;
  /** The name and the `AS` as written, for checks. */
  readonly nameAsWritten?: Word;
  readonly asKeyword?: Word;
}

export interface ArgInstruction extends InstructionBase {
  readonly kind: 'arg';
  readonly args: readonly KeyValue[];
}

export interface KeyValuesInstruction extends InstructionBase {
  readonly kind: 'env' | 'label';
  readonly pairs: readonly (KeyValue & { readonly value: Word })[];
  /** True for the old `ENV key value` form. */
  readonly legacy: boolean;
}

export type MountType = 'bind' | 'cache' | 'tmpfs' | 'secret' | 'ssh';

/** One `--mount` of RUN: its option names and values in order, not yet expanded. `expandMount` expands them. */
export interface MountFlag {
  /** Undefined if a variable names the type. */
  readonly type?: MountType;
  /** Normalised option name (`dst`, `destination` → `target`; `src` → `source`; `ro` → `readonly=true`; `rw` → `readonly=false`) → value. */
  readonly options: Readonly<Record<string, string>>;
  readonly location: SourceRange;
  /** The value of the flag as written. */
  readonly word: Word;
}

/** One `--device`, as written. */
export interface DeviceFlag {
  readonly name: string;
  readonly required: boolean;
  readonly location: SourceRange;
}

export interface RunInstruction extends InstructionBase {
  readonly kind: 'run';
  readonly command: CommandLine;
  readonly heredocs: readonly Heredoc[];
  /** The heredoc that is the whole command (`RUN <<EOF`). */
  readonly script?: Heredoc;
  readonly mounts: readonly MountFlag[];
  readonly network?: 'default' | 'none' | 'host';
  readonly security?: 'sandbox' | 'insecure';
  /** Undefined without any. */
  readonly devices?: readonly DeviceFlag[];
}

export interface CopyInstruction extends InstructionBase {
  readonly kind: 'copy' | 'add';
  /** The sources other than heredocs, in order. */
  readonly sources: readonly Word[];
  readonly heredocs: readonly Heredoc[];
  readonly destination: Word;
  /** COPY only: stage name or index, image reference or named context, as written. */
  readonly from?: Word;
  readonly chown?: Word;
  readonly chmod?: Word;
  readonly link: boolean;
  readonly parents: boolean;
  readonly exclude: readonly Word[];
  /** ADD only. */
  readonly checksum?: Word;
  readonly keepGitDir?: boolean;
  readonly unpack?: boolean;
}

export interface CommandInstruction extends InstructionBase {
  readonly kind: 'cmd' | 'entrypoint';
  readonly command: CommandLine;
}

export interface ShellInstruction extends InstructionBase {
  readonly kind: 'shell';
  readonly args: readonly string[];
}

export interface HealthcheckInstruction extends InstructionBase {
  readonly kind: 'healthcheck';
  /** `none` disables an inherited check. */
  readonly check: 'none' | CommandLine;
  /** Nanoseconds, as written in the flags; 0 inherits. */
  readonly interval: number;
  readonly timeout: number;
  readonly startPeriod: number;
  readonly startInterval: number;
  readonly retries: number;
}

/** EXPOSE and VOLUME: a list of words. `json` is true for a JSON array. */
export interface ListInstruction extends InstructionBase {
  readonly kind: 'expose' | 'volume';
  readonly words: readonly Word[];
  readonly json: boolean;
}

/** USER, WORKDIR, STOPSIGNAL, MAINTAINER: one value, the rest of the line. */
export interface SingleWordInstruction extends InstructionBase {
  readonly kind: 'user' | 'workdir' | 'stopsignal' | 'maintainer';
  readonly value: Word;
}

export interface OnbuildInstruction extends InstructionBase {
  readonly kind: 'onbuild';
  /** The trigger as Docker stores it in the config: raw text with heredoc bodies appended. */
  readonly trigger: string;
}

/** A typed instruction. Everything that depends on variables is unexpanded text. */
export type Instruction =
  | FromInstruction
  | ArgInstruction
  | KeyValuesInstruction
  | RunInstruction
  | CopyInstruction
  | CommandInstruction
  | ShellInstruction
  | HealthcheckInstruction
  | ListInstruction
  | SingleWordInstruction
  | OnbuildInstruction;

/** An instruction that may occur in a stage. */
export type StageInstruction = Exclude<Instruction, FromInstruction>;

/** FROM and the instructions after it. */
export interface Stage {
  readonly index: number;
  readonly from: FromInstruction;
  /** Lower-cased; undefined for an unnamed stage. */
  readonly name?: string;
  readonly instructions: readonly StageInstruction[];
}

/** The parser directives at the top of the file. */
export interface Directives {
  /** `# syntax=`: the value up to the first blank. */
  readonly syntax?: Word;
  readonly escape: '\\' | '`';
  /** `# check=`: the value up to the first blank. */
  readonly check?: Word;
}

/** A warning about a Dockerfile, in the words of Docker's build checks. */
export interface LintWarning {
  /** e.g. `StageNameCasing`. */
  readonly rule: string;
  /** Describes the rule in one line. */
  readonly description: string;
  /** The rule's page in Docker's documentation. */
  readonly url: string;
  /** Describes what was found. */
  readonly message: string;
  /** The instruction, or those of its lines that Docker names. */
  readonly location: SourceRange;
  /** The words to underline. */
  readonly token?: SourceRange;
}

/** A parsed Dockerfile. */
export interface Dockerfile {
  readonly file: string;
  readonly text: string;
  readonly directives: Directives;
  /** ARGs before the first FROM. */
  readonly globalArgs: readonly ArgInstruction[];
  readonly stages: readonly Stage[];
  /** The warnings that need only the text. */
  readonly warnings: readonly LintWarning[];
}
