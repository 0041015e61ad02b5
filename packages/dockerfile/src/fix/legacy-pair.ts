import { hasCode } from '@tbuild/errors';
import { expandWord } from '../expand-word.ts';
import type { KeyValuesInstruction } from '../instruction.ts';
import { span, splitQuoted } from '../words.ts';
import type { FixPlace } from './fix.ts';
import type { TextEdit } from './text-edits.ts';

/** Writes `ENV key value` as `ENV key=value`, if that means the same whatever the variables hold. */
export function fixLegacyPair({ instruction, dockerfile, source }: FixPlace): readonly TextEdit[] {
  if (instruction.kind !== 'env' && instruction.kind !== 'label') return [];
  const pair = legacyPair(instruction);
  if (pair === undefined || !/^[\w./-]+$/.test(pair.key.text)) return [];
  const { key, value } = pair;
  const [from, start] = [source.offsetOf(key.location.end), source.offsetOf(value.location.start)];
  // The line is continued between them.
  if (source.text.slice(from, start).trim() !== '' || source.text.slice(from, start).includes('\n')) return [];
  const { escape } = dockerfile.directives;
  if (isSame(value.text, value.text, escape)) return [{ start: from, end: start, text: '=' }];
  const end = source.offsetOf(value.location.end);
  if (!isSame(`"${value.text}"`, value.text, escape) || source.text[end - 1] !== value.text.at(-1)) return [];
  return [
    { start: from, end: start, text: '="' },
    { start: end, end, text: '"' },
  ];
}

function legacyPair({ legacy, pairs }: KeyValuesInstruction): KeyValuesInstruction['pairs'][number] | undefined {
  return legacy ? pairs[0] : undefined;
}

/** What variables may hold: nothing, and characters that quotes and escapes are about. */
const VALUES = [undefined, '', 'a b', `"'\\\``];

/** Returns whether a text is one word that expands as the value does. */
function isSame(word: string, value: string, escape: '\\' | '`'): boolean {
  const words = splitQuoted(word, span(word, 0, word.length), escape);
  if (words.length !== 1 || words[0]?.text !== word) return false;
  try {
    return VALUES.every((held) => {
      const expand = (text: string): string => expandWord(text, () => held, { escape });
      return expand(word) === expand(value);
    });
  } catch (error) {
    if (hasCode(error, 'DOCKERFILE_SEMANTICS') || hasCode(error, 'DOCKERFILE_SYNTAX')) return false;
    throw error;
  }
}
