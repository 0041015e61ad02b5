import type { Environment } from '../config/environment.ts';

/** Asks a question on the terminal, and returns the answer without spaces around it. */
export async function ask(question: string, env: Pick<Environment, 'stdin' | 'stderr'>): Promise<string> {
  const { createInterface } = await import('node:readline/promises');
  const terminal = createInterface({ input: env.stdin, output: env.stderr });
  const answer = await terminal.question(`${question} `);
  terminal.close();
  return answer.trim();
}
