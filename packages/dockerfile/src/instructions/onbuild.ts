import { readFlags } from '../flags.ts';
import type { OnbuildInstruction } from '../instruction.ts';
import { type InstructionRequest, faultIn } from './request.ts';

const KEYWORD = /^\s*ONBUILD\s*/i;

/** ONBUILD: the trigger as text. It is parsed when it is triggered. */
export function parseOnbuild(request: InstructionRequest): OnbuildInstruction {
  const [keyword] = request.args.words;
  if (keyword === undefined) throw faultIn(request, 'ONBUILD requires at least one argument');
  readFlags(request.line, request.flags, {});
  const name = keyword.text.toUpperCase();
  if (name === 'ONBUILD') throw faultIn(request, "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed", keyword);
  if (name === 'MAINTAINER' || name === 'FROM') {
    throw faultIn(request, `${name} isn't allowed as an ONBUILD trigger`, keyword);
  }
  const bodies = request.heredocs.map((heredoc) => `\n${heredoc.raw}${heredoc.name}`);
  return { kind: 'onbuild', ...request.base, trigger: request.line.text.replace(KEYWORD, '') + bodies.join('') };
}
