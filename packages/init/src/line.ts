/** A line of a Dockerfile, or several that are one instruction, and perhaps a reason for it. */
export interface Line {
  readonly text: string;
  readonly why?: string;
}

/** What a kind of project needs. */
export interface Template {
  readonly lines: readonly Line[];
  /** Patterns for .dockerignore, beside those of every project. */
  readonly ignored: readonly string[];
}

/** Makes a line. */
export function line(text: string, why?: string): Line {
  return { text, why };
}

/** The user of a step and of the container: no program of an image needs to be root. */
export const ORDINARY_USER = line(
  'USER 1000:1000',
  'The program cannot change the image, nor gain more rights than it has. A number needs no entry in /etc/passwd.',
);

export const BLANK = line('');

/** Returns an instruction in exec form, for which Docker starts no shell. */
export function exec(instruction: 'CMD' | 'ENTRYPOINT', words: readonly string[]): string {
  return `${instruction} [${words.map((word) => JSON.stringify(word)).join(', ')}]`;
}
