import { existsSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { describeRule, isRuleName, ruleNames, ruleOf, type RuleName } from '@tbuild/dockerfile';
import { isFixable } from '@tbuild/dockerfile/fix';
import { rulePage } from '@tbuild/dockerfile/rule-pages';
import { suggest, TbuildError } from '@tbuild/errors';
import { readLimitedFile } from '@tbuild/linux';
import { choiceOf } from '../flags/choice.ts';
import { localDockerfile, placeIn } from '../request/local-dockerfile.ts';
import { storeCommand } from './store-command.ts';

export const explain = storeCommand({
  summary: 'Explain a Dockerfile line by line, or a check of Dockerfiles',
  usage: 'explain [OPTIONS] [CONTEXT|DOCKERFILE|CHECK...]',
  flags: {
    file: { kind: 'text', short: 'f', value: 'PATH', help: 'The Dockerfile (default: CONTEXT/Dockerfile)' },
    format: { kind: 'text', value: 'FORMAT', help: 'Print text or json' },
  },
  takes: [0, Infinity],
  async run({ flags: { file, format }, words, services, env, signal, sources }) {
    const [word = '.', ...more] = words;
    const isPath = more.length === 0 && words.length === 1 && !isCheck(word) && existsSync(resolve(env.cwd, word));
    if (!isPath && file === undefined) {
      const names = words.map(findRule);
      env.stdout.write(names.length === 0 ? listOfRules() : names.map(pageOf).join(`\n${'-'.repeat(72)}\n\n`));
      return;
    }
    const as = choiceOf(format ?? 'text', ['text', 'json'], '--format');
    const place = placeIn(word, file, env.cwd);
    const { path, name } = localDockerfile(place, env.cwd);
    const text = readLimitedFile(path, { what: `Dockerfile ${JSON.stringify(name)}` })?.toString() ?? '';
    sources.set(name, text);
    const directory = resolve(env.cwd, place.context);
    const inContext = relative(directory, path);
    const { explainDockerfile } = await import('../explain/explain-dockerfile.ts');
    const explained = await explainDockerfile({ text, name, inContext, directory, ports: services, signal });
    const { explainedDocument, formatExplained } = await import('../explain/format-explained.ts');
    const width = env.stdout.columns ?? 80;
    env.stdout.write(
      as === 'json'
        ? `${JSON.stringify(explainedDocument(explained), null, 2)}\n`
        : formatExplained(explained, { width, now: services.now() }),
    );
  },
});

function isCheck(word: string): boolean {
  return ruleNames().some((name) => name === word);
}

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
