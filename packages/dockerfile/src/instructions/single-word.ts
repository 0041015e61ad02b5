import { readFlags } from '../flags.ts';
import type { SingleWordInstruction } from '../instruction.ts';
import { type InstructionRequest, faultIn, toWord } from './request.ts';

/** USER. */
export function parseUser(request: InstructionRequest): SingleWordInstruction {
  readFlags(request.line, request.flags, {});
  return parseSingleWord(request, 'user');
}

/** WORKDIR: the rest of the line, including blanks. */
export function parseWorkdir(request: InstructionRequest): SingleWordInstruction {
  readFlags(request.line, request.flags, {});
  return parseSingleWord(request, 'workdir');
}

/** STOPSIGNAL. As in Docker, flags are ignored. */
export function parseStopsignal(request: InstructionRequest): SingleWordInstruction {
  return parseSingleWord(request, 'stopsignal');
}

/** MAINTAINER. */
export function parseMaintainer(request: InstructionRequest): SingleWordInstruction {
  readFlags(request.line, request.flags, {});
  return parseSingleWord(request, 'maintainer');
}

function parseSingleWord(request: InstructionRequest, kind: SingleWordInstruction['kind']): SingleWordInstruction {
  const [word] = request.args.words;
  if (word === undefined) throw faultIn(request, `${request.name} requires exactly one argument`);
  return { kind, ...request.base, value: toWord(request, word) };
}
