import { flagWord, readFlags } from '../flags.ts';
import type { FromInstruction } from '../instruction.ts';
import { syntaxError } from '../syntax-error.ts';
import { type InstructionRequest, faultIn, toWord } from './request.ts';

const STAGE_NAME = /^[a-z][a-z0-9-_.]*$/;

/** FROM: an image and an optional stage name. */
export function parseFrom(request: InstructionRequest): FromInstruction {
  const [image, as, name, ...more] = request.args.words;
  const named = as?.text.toLowerCase() === 'as' && name !== undefined && more.length === 0;
  if (image === undefined || (as !== undefined && !named)) {
    throw syntaxError(
      'FROM requires either one or three arguments',
      request.base.location,
      'Write FROM image [AS name]',
    );
  }
  const stageName = name?.text.toLowerCase();
  if (stageName !== undefined && !STAGE_NAME.test(stageName)) {
    const message = `Invalid name for build stage: "${name?.text}", name can't start with a number or contain symbols`;
    throw faultIn(request, message, name);
  }
  const platform = flagWord(readFlags(request.line, request.flags, { platform: 'value' }), 'platform');
  return {
    kind: 'from',
    ...request.base,
    image: toWord(request, image),
    platform,
    name: stageName,
    nameAsWritten: name && toWord(request, name),
    asKeyword: as && toWord(request, as),
  };
}
