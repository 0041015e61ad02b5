import { readFlags } from '../flags.ts';
import type { CommandInstruction, CommandLine, ShellInstruction } from '../instruction.ts';
import { syntaxError } from '../syntax-error.ts';
import { type Arguments, type InstructionRequest, faultIn } from './request.ts';

/** CMD. */
export function parseCmd(request: InstructionRequest): CommandInstruction {
  readFlags(request.line, request.flags, {});
  return { kind: 'cmd', ...request.base, command: toCommandLine(request.args) };
}

/** ENTRYPOINT. */
export function parseEntrypoint(request: InstructionRequest): CommandInstruction {
  readFlags(request.line, request.flags, {});
  return { kind: 'entrypoint', ...request.base, command: toCommandLine(request.args) };
}

/** SHELL: a JSON array only. */
export function parseShell(request: InstructionRequest): ShellInstruction {
  readFlags(request.line, request.flags, {});
  const { words, json } = request.args;
  if (words.length === 0) throw faultIn(request, 'SHELL requires at least one argument');
  if (!json) {
    const message = 'SHELL requires the arguments to be in JSON form';
    throw syntaxError(message, request.base.location, 'Write for example SHELL ["/bin/bash", "-c"]');
  }
  return { kind: 'shell', ...request.base, args: words.map((word) => word.text) };
}

/** A command: a JSON array is an argument vector; anything else, even nothing, is a text for the shell. */
export function toCommandLine({ words, json }: Arguments): CommandLine {
  if (json) return { form: 'exec', args: words.map((word) => word.text) };
  return { form: 'shell', text: words[0]?.text ?? '' };
}
