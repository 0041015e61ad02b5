/** One failing run of the program, whose whole output is a section of `messages.md`. */
export interface MessageCase {
  /** A sentence that stands alone. */
  readonly title: string;
  /** Files of the working directory, as `writeFiles` takes them; the Dockerfile is shown. */
  readonly files?: Readonly<Record<string, string>>;
  /** The command line after `tbuild`. In it and in the Dockerfile, `REGISTRY` stands for a registry without images, and `PRIVATE` for one that wants tokens. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Runs in the working directory before the program: what files alone cannot say. */
  readonly prepare?: string;
}

/** A case that is nothing but a Dockerfile. */
export function dockerfile(title: string, text: string, rest: Partial<MessageCase> = {}): MessageCase {
  return { title, ...rest, files: { Dockerfile: text, ...rest.files } };
}

/** A case that is nothing but a command line, beside a Dockerfile without a mistake. */
export function commandLine(title: string, args: readonly string[], rest: Partial<MessageCase> = {}): MessageCase {
  return { title, args, ...rest };
}
