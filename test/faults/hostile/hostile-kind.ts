import type { Random } from '../../support/random.ts';

/** A kind of input that a stranger may have made. */
export interface HostileKind<Input = unknown> {
  readonly name: string;
  /** How many inputs a case takes. Default: 500. */
  readonly inputs?: number;
  make(random: Random): Input;
  /** Reads an input with what the program reads it with. It may throw a TbuildError and nothing else. */
  read(input: Input, place: HostilePlace): Promise<void>;
}

export interface HostilePlace {
  /** An empty directory for what an input becomes. Nothing may be written beside it. */
  readonly directory: string;
  readonly signal: AbortSignal;
}
