import { readFlags } from '../flags.ts';
import type { ListInstruction } from '../instruction.ts';
import { type InstructionRequest, faultIn, toWord } from './request.ts';

/** VOLUME: paths, as words or as a JSON array. */
export function parseVolume(request: InstructionRequest): ListInstruction {
  const { words, json } = request.args;
  if (words.length === 0) throw faultIn(request, 'VOLUME requires at least one argument');
  readFlags(request.line, request.flags, {});
  const paths = words.map((word) => {
    const text = word.text.trim();
    if (text === '') throw faultIn(request, 'VOLUME specified can not be an empty string', word);
    return toWord(request, { ...word, text });
  });
  return { kind: 'volume', ...request.base, words: paths, json };
}
