import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Commands } from '../completion/candidates.ts';
import { manualPages } from '../completion/manual.ts';
import { VERSION } from '../startup/version.ts';
import type { Command } from './command.ts';

/** Makes the command that writes the manual pages of all commands to a directory. */
export function manualCommand(commands: Commands): Command {
  return {
    summary: 'Write the manual pages',
    usage: '__man DIRECTORY',
    async run([directory = '.'], { cwd }) {
      const pages = await manualPages(commands, VERSION);
      for (const [name, text] of pages) writeFileSync(join(resolve(cwd, directory), name), text);
      return 0;
    },
  };
}
