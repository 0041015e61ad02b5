import { posix } from 'node:path';
import type { CopyInstruction, Word } from '@tbuild/dockerfile';
import type { SourceAdvice } from '@tbuild/graph';

/** Returns what to tell about sources that are written as if they were paths of the machine, by their path in the context. */
export function sourceAdvice(
  { sources, from }: CopyInstruction,
  expanded: readonly Word[],
): Readonly<Record<string, SourceAdvice>> | undefined {
  const entries = expanded.flatMap(({ text }, at): [string, SourceAdvice][] => {
    const advice = adviceFor(sources[at]?.text ?? '', { text, from: from?.text });
    return advice === undefined ? [] : [[posix.resolve('/', text).slice(1), advice]];
  });
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

const SHELL_OPERATORS: ReadonlySet<string> = new Set(['&&', '||', '|', ';', '>', '>>']);

function adviceFor(
  written: string,
  { text, from }: { readonly text: string; readonly from?: string },
): SourceAdvice | undefined {
  // Before a letter, a backslash escapes nothing that needs it.
  if (/\\[\w.]/.test(written))
    return { hint: `Use "/" between directories: in ${JSON.stringify(written)} "\\" escapes the character behind it` };
  if (text.startsWith('#')) return { hint: 'Put the comment on its own line: here its words are sources' };
  if (SHELL_OPERATORS.has(text))
    return { hint: `Run commands with RUN: ${JSON.stringify(text)} is a source here`, fallback: true };
  if (from !== undefined) return undefined;
  if (/^\w+:\/\//.test(written)) return { hint: `Begin it with http:// or https://, or name a Git repository` };
  if (/^\.\.(?:\/|$)/.test(posix.normalize(text)))
    return {
      hint: `Move it into the context, or pass its directory with --build-context NAME=DIRECTORY and use COPY --from=NAME: ${JSON.stringify(text)} is outside the context`,
    };
  return text.startsWith('/')
    ? { hint: 'Copy it into the context: sources are paths in the context, also with a leading "/"', fallback: true }
    : undefined;
}
