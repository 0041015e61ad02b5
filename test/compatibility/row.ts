/** A thing of Docker's builder, and the test that runs it. */
export interface Row {
  /** As people write it: an option, a variable, a command. */
  readonly name: string;
  /** A test file that has `word` in it. */
  readonly test: string;
  /** What to look for in the test. Defaults to the name. */
  readonly word?: string;
  /** How it differs from Docker's, where it does. */
  readonly differs?: string;
}

export function row(name: string, test: string, rest: Omit<Row, 'name' | 'test'> = {}): Row {
  return { name, test, ...rest };
}
