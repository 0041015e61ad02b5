import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { findBuild } from '@tbuild/builds';
import { buildPage } from '../../report/build-page.ts';
import { storeCommand } from '../store-command.ts';
import { ignoredBuilder } from './ignored-builder.ts';

export const open = storeCommand({
  summary: 'Open a page about a build in the browser: timeline, graph, layers, logs',
  usage: 'builds open [OPTIONS] [BUILD]',
  flags: {
    ...ignoredBuilder,
    output: { kind: 'text', short: 'o', value: 'FILE', help: 'Write the page to a file instead, and open none' },
  },
  takes: [0, 1],
  async run({ flags: { output }, words: [build], services, env, signal }) {
    const record = findBuild(services.store, build);
    const page = await buildPage(record, services, signal);
    // Others may not read what a build printed.
    const file =
      output === undefined ? join(mkdtempSync(join(tmpdir(), 'tbuild-')), 'build.html') : resolve(env.cwd, output);
    writeFileSync(file, page);
    if (output === undefined && !(await openInBrowser(file))) env.stderr.write('No program opens pages here\n');
    env.stdout.write(`${file}\n`);
  },
});

async function openInBrowser(file: string): Promise<boolean> {
  const child = spawn('xdg-open', [file], { stdio: 'ignore', detached: true });
  try {
    await once(child, 'spawn');
    child.unref();
    return true;
  } catch {
    return false;
  }
}
