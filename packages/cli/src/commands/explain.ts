import { describeRule, isRuleName, ruleNames, ruleOf, type RuleName } from '@tbuild/dockerfile';
import { isFixable } from '@tbuild/dockerfile/fix';
import { rulePage } from '@tbuild/dockerfile/rule-pages';
import { suggest, TbuildError } from '@tbuild/errors';
import { describeFlags, parseArgs, type Flags } from '../flags/args.ts';
import type { Command } from './command.ts';

const explainFlags = { help: { kind: 'switch', short: 'h', help: 'Show this text' } } as const satisfies Flags;

export const explain: Command = {
  summary: 'Explain a check of Dockerfiles, or list all checks',
  usage: 'explain [RULE...]',
  flags: explainFlags,
  async run(argv, env) {
    const { flags, positional } = parseArgs(argv, explainFlags);
    if (flags.help === true) {
      env.stdout.write(
        `Usage: tbuild explain [RULE...]\n\nExplain checks of Dockerfiles.\n\n${describeFlags(explainFlags)}\n`,
      );
      return 0;
    }
    const names = positional.map(findRule);
    env.stdout.write(names.length === 0 ? listOfRules() : names.map(pageOf).join(`\n${'-'.repeat(72)}\n\n`));
    return 0;
  },
};

function findRule(text: string): RuleName {
  const names = ruleNames();
  const found = names.find((name) => name.toLowerCase() === text.toLowerCase().replaceAll('-', ''));
  if (found !== undefined && isRuleName(found)) return found;
  const near = suggest(text, names);
  throw new TbuildError('USAGE', `Unknown check ${JSON.stringify(text)}`, {
    hint: near === undefined ? 'Run "tbuild explain" for a list of all checks' : `Did you mean ${near}?`,
  });
}

function listOfRules(): string {
  const width = Math.max(...ruleNames().map((name) => name.length)) + 2;
  const rows = ruleNames().map(
    (name) =>
      `${name.padEnd(width)}${rulePage(name)
        .what.split(/[.:](?:\s|$)/)[0]
        ?.replaceAll('\n', ' ')}`,
  );
  return `${rows.join('\n')}\n\nOne in full: tbuild explain RULE. Silence one with "# check=skip=RULE" at the top of the file or above an instruction.\n`;
}

function pageOf(name: RuleName): string {
  const { what, why, bad, good, given } = rulePage(name);
  const { description, url } = describeRule(name);
  const experimental = ruleOf(name).experimental ? ' (experimental)' : '';
  const parts = [
    `${name}${experimental}\n${description}`,
    what,
    why,
    ...(given === undefined ? [] : [`In these examples, ${given}.`]),
    `Bad:\n\n${indent(bad)}`,
    `Good:\n\n${indent(good)}`,
    ...(isFixable(name) ? ['"tbuild lint --fix" corrects it.'] : []),
    `Docker's page: ${url}`,
  ];
  return `${parts.join('\n\n')}\n`;
}

function indent(text: string): string {
  return text.replaceAll(/^(?=.)/gm, '    ');
}
