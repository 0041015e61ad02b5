import { TbuildError } from '@tbuild/errors';
import { storeRoot } from '../config/store-root.ts';
import type { Finding } from '../doctor/finding.ts';
import { findings } from '../doctor/findings.ts';
import { describeFlags, parseArgs, type Flags } from '../flags/args.ts';
import { storeFlags } from '../flags/store-flags.ts';
import type { Command } from './command.ts';

const flags = {
  format: { kind: 'text', value: 'FORMAT', help: 'Print as text or json (default: text)' },
  ...storeFlags,
} as const satisfies Flags;

/** Exits with 1 when RUN steps cannot run at all, or when nothing can be built for lack of a store. */
export const doctor: Command = {
  summary: 'Show what this machine allows, and what would allow more',
  usage: 'doctor [OPTIONS]',
  flags,
  async run(argv, env) {
    const { flags: given } = parseArgs(argv, flags);
    if (given.help === true) {
      env.stdout.write(
        `Usage: tbuild doctor [OPTIONS]\n\nShow what this machine allows, what it lacks, and how to change that.\n\n${describeFlags(flags)}\n`,
      );
      return 0;
    }
    const { format = 'text' } = given;
    if (format !== 'text' && format !== 'json')
      throw new TbuildError('USAGE', `Invalid --format ${JSON.stringify(format)}: expected text, json`);
    const found = await findings(storeRoot(given.root, env), env);
    env.stdout.write(format === 'json' ? `${JSON.stringify(found, undefined, 2)}\n` : found.map(lineOf).join(''));
    return found.slice(0, 2).some(({ state }) => state === 'missing') ? 1 : 0;
  },
};

const MARKS: Readonly<Record<Finding['state'], string>> = { good: 'good   ', limited: 'limited', missing: 'missing' };

function lineOf({ name, state, detail, fix }: Finding): string {
  const line = `${MARKS[state]}  ${name.padEnd(18)}  ${detail}\n`;
  return fix === undefined || state === 'good' ? line : `${line}${' '.repeat(29)}→ ${fix}\n`;
}
