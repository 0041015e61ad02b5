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

/** How the words after a keyword are split, which parser reads them, and whether heredocs may follow. */
export interface Shape {
  readonly lex: Lexer | 'instruction';
  readonly parse: (request: InstructionRequest) => Instruction;
  readonly heredocs?: true;
}

const SHAPES: Readonly<Record<string, Shape>> = {
  ADD: { lex: lexJsonOrBlanks, parse: parseAdd, heredocs: true },
  ARG: { lex: lexQuoted, parse: parseArg },
  CMD: { lex: lexJsonOrText, parse: parseCmd },
  COPY: { lex: lexJsonOrBlanks, parse: parseCopy, heredocs: true },
  ENTRYPOINT: { lex: lexJsonOrText, parse: parseEntrypoint },
  ENV: { lex: lexPairs, parse: parseEnv },
  EXPOSE: { lex: lexBlanks, parse: parseExpose },
  FROM: { lex: lexBlanks, parse: parseFrom },
  HEALTHCHECK: { lex: lexHealthcheck, parse: parseHealthcheck },
  LABEL: { lex: lexPairs, parse: parseLabel },
  MAINTAINER: { lex: lexText, parse: parseMaintainer },
  ONBUILD: { lex: 'instruction', parse: parseOnbuild },
  RUN: { lex: lexJsonOrText, parse: parseRun, heredocs: true },
  SHELL: { lex: lexJsonOrText, parse: parseShell },
  STOPSIGNAL: { lex: lexText, parse: parseStopsignal },
  USER: { lex: lexText, parse: parseUser },
  VOLUME: { lex: lexJsonOrBlanks, parse: parseVolume },
  WORKDIR: { lex: lexText, parse: parseWorkdir },
};

/** All keywords in upper case. */
export const KEYWORDS: readonly string[] = Object.keys(SHAPES);

/** The shape of an instruction by its keyword in upper case. */
export function shapeOf(keyword: string): Shape | undefined {
  return Object.hasOwn(SHAPES, keyword) ? SHAPES[keyword] : undefined;
}
