import type { ArgInstruction } from '../instruction.ts';
import { span } from '../words.ts';
import { type InstructionRequest, faultIn, toWord } from './request.ts';

/** ARG: names with optional defaults. As in Docker, flags are ignored. */
export function parseArg(request: InstructionRequest): ArgInstruction {
  const { words } = request.args;
  if (words.length === 0) throw faultIn(request, 'ARG requires at least one argument');
  const args = words.map((word) => {
    const equals = word.text.indexOf('=');
    if (equals === 0) throw faultIn(request, 'ARG names can not be blank', word);
    if (equals < 0) return { key: toWord(request, word) };
    const middle = word.start + equals;
    return {
      key: toWord(request, span(request.line.text, word.start, middle)),
      value: toWord(request, span(request.line.text, middle + 1, word.end)),
    };
  });
  return { kind: 'arg', ...request.base, args };
}
