import type { Random } from '../../support/random.ts';

/** A kind of input that a stranger may have made. */
export interface HostileKind<Input = unknown> {
  readonly name: string;
  /** How many inputs a case takes. Default: 500. */
  readonly inputs?: number;
  make(random: Random): Input;
  /**
   * Writes to the empty directory what all inputs of a case need. Then `read` replaces one of these files, and the directory
   * is not emptied between inputs. For a reader that writes nothing.
   */
  prepare?(directory: string): void;
  /** Reads an input with what the program reads it with. It may throw a TbuildError and nothing else. */
  read(input: Input, place: HostilePlace): Promise<void>;
}

export interface HostilePlace {
  /** A directory for what an input becomes, as `prepare` left it, or empty. Nothing may be written beside it. */
  readonly directory: string;
  readonly signal: AbortSignal;
}
