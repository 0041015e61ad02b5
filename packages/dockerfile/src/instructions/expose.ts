import { readFlags } from '../flags.ts';
import type { ListInstruction } from '../instruction.ts';
import { type InstructionRequest, faultIn, toWord } from './request.ts';

/** EXPOSE: ports, sorted as written, before variables are expanded. */
export function parseExpose(request: InstructionRequest): ListInstruction {
  if (request.args.words.length === 0) throw faultIn(request, 'EXPOSE requires at least one argument');
  readFlags(request.line, request.flags, {});
  const sorted = request.args.words.toSorted((a, b) => (a.text < b.text ? -1 : Number(a.text > b.text)));
  return { kind: 'expose', ...request.base, words: sorted.map((word) => toWord(request, word)), json: false };
}
