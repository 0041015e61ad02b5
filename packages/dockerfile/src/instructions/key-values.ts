import { readFlags } from '../flags.ts';
import type { KeyValuesInstruction } from '../instruction.ts';
import { type InstructionRequest, faultIn, toWord } from './request.ts';

/** ENV. */
export function parseEnv(request: InstructionRequest): KeyValuesInstruction {
  return parseKeyValues(request, 'env');
}

/** LABEL. */
export function parseLabel(request: InstructionRequest): KeyValuesInstruction {
  return parseKeyValues(request, 'label');
}

function parseKeyValues(request: InstructionRequest, kind: KeyValuesInstruction['kind']): KeyValuesInstruction {
  readFlags(request.line, request.flags, {});
  const { words, legacy = false } = request.args;
  if (words.length === 0) throw faultIn(request, `${request.name} requires at least one argument`);
  const pairs = Array.from({ length: words.length / 2 }, (_, index) => {
    const key = words[2 * index];
    const value = words[2 * index + 1];
    if (key === undefined || value === undefined) throw new Error('A key has no value');
    if (key.text === '') throw faultIn(request, `${request.name} names can not be blank`, value);
    return { key: toWord(request, key), value: toWord(request, value) };
  });
  return { kind, ...request.base, pairs, legacy };
}
