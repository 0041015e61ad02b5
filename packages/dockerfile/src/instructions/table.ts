import type { Instruction } from '../instruction.ts';
import { parseArg } from './arg.ts';
import { parseAdd, parseCopy } from './copy.ts';
import { parseCmd, parseEntrypoint, parseShell } from './exec-form.ts';
import { parseExpose } from './expose.ts';
import { parseFrom } from './from.ts';
import { parseHealthcheck } from './healthcheck.ts';
import { parseEnv, parseLabel } from './key-values.ts';
import {
  type Lexer,
  lexBlanks,
  lexHealthcheck,
  lexJsonOrBlanks,
  lexJsonOrText,
  lexPairs,
  lexQuoted,
  lexText,
} from './lexers.ts';
import { parseOnbuild } from './onbuild.ts';
import type { InstructionRequest } from './request.ts';
import { parseRun } from './run.ts';
import { parseMaintainer, parseStopsignal, parseUser, parseWorkdir } from './single-word.ts';
import { parseVolume } from './volume.ts';

/** How the words after a keyword are written and split, which parser reads them, and whether heredocs may follow. */
export interface Shape {
  /** The arguments, as a hint shows them. */
  readonly usage: string;
  readonly lex: Lexer | 'instruction';
  readonly parse: (request: InstructionRequest) => Instruction;
  readonly heredocs?: true;
}

const SHAPES: Readonly<Record<string, Shape>> = {
  ADD: { usage: 'SOURCE… DESTINATION', lex: lexJsonOrBlanks, parse: parseAdd, heredocs: true },
  ARG: { usage: 'NAME[=DEFAULT]', lex: lexQuoted, parse: parseArg },
  CMD: { usage: '["PROGRAM", "ARGUMENT"]', lex: lexJsonOrText, parse: parseCmd },
  COPY: { usage: 'SOURCE… DESTINATION', lex: lexJsonOrBlanks, parse: parseCopy, heredocs: true },
  ENTRYPOINT: { usage: '["PROGRAM", "ARGUMENT"]', lex: lexJsonOrText, parse: parseEntrypoint },
  ENV: { usage: 'NAME=VALUE', lex: lexPairs, parse: parseEnv },
  EXPOSE: { usage: 'PORT[/PROTOCOL]', lex: lexBlanks, parse: parseExpose },
  FROM: { usage: 'IMAGE [AS NAME]', lex: lexBlanks, parse: parseFrom },
  HEALTHCHECK: { usage: 'CMD COMMAND, or HEALTHCHECK NONE', lex: lexHealthcheck, parse: parseHealthcheck },
  LABEL: { usage: 'NAME=VALUE', lex: lexPairs, parse: parseLabel },
  MAINTAINER: { usage: 'NAME', lex: lexText, parse: parseMaintainer },
  ONBUILD: { usage: 'INSTRUCTION', lex: 'instruction', parse: parseOnbuild },
  RUN: { usage: 'COMMAND', lex: lexJsonOrText, parse: parseRun, heredocs: true },
  SHELL: { usage: '["PROGRAM", "ARGUMENT"]', lex: lexJsonOrText, parse: parseShell },
  STOPSIGNAL: { usage: 'SIGNAL', lex: lexText, parse: parseStopsignal },
  USER: { usage: 'NAME[:GROUP]', lex: lexText, parse: parseUser },
  VOLUME: { usage: 'DIRECTORY', lex: lexJsonOrBlanks, parse: parseVolume },
  WORKDIR: { usage: 'DIRECTORY', lex: lexText, parse: parseWorkdir },
};

/** All keywords in upper case. */
export const KEYWORDS: readonly string[] = Object.keys(SHAPES);

/** The shape of an instruction by its keyword in upper case. */
export function shapeOf(keyword: string): Shape | undefined {
  return Object.hasOwn(SHAPES, keyword) ? SHAPES[keyword] : undefined;
}
