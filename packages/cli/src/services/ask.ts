import type { Environment } from '../config/environment.ts';

/** Asks on a terminal whether to do something. The end of input is a no, as every answer but yes is. */
export async function agrees(question: string, env: Pick<Environment, 'stdin' | 'stderr'>): Promise<boolean> {
  return /^y(es)?$/i.test((await ask(`${question} [y/N]`, env)) ?? '');
}

/** Asks a question on a terminal. Returns the answer without spaces around it, or undefined at the end of input. */
export async function ask(
  question: string,
  { stdin, stderr }: Pick<Environment, 'stdin' | 'stderr'>,
): Promise<string | undefined> {
  const { createInterface } = await import('node:readline/promises');
  stderr.write(`${question} `);
  // Without an output it leaves Ctrl-C to the terminal, which ends this process.
  const lines = createInterface({ input: stdin });
  try {
    const { value }: { readonly value?: string } = await lines[Symbol.asyncIterator]().next();
    if (value === undefined) stderr.write('\n');
    return value?.trim();
  } finally {
    lines.close();
  }
}
