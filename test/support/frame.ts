import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, vi } from 'vitest';
import { cutToWidth, padToWidth } from '../../packages/tui/src/display-width.ts';
import { patiently } from './patience.ts';
import type { Terminal } from './terminal.ts';

const directory = join(import.meta.dirname, '../goldens/frames');
const update = process.env.UPDATE_GOLDENS === '1';

/** Waits until the screen is as in `goldens/frames/NAME-COLUMNS.txt`. With `UPDATE_GOLDENS=1`, writes a screen that stays. */
export async function expectFrame(
  terminal: Terminal,
  name: string,
  { columns, shows }: { readonly columns: number; readonly shows: string | RegExp },
): Promise<void> {
  const file = join(directory, `${name}-${columns}.txt`);
  const frame = async (): Promise<string> => comparable(await terminal.screen(), columns);
  await terminal.waitFor(shows);
  if (update) {
    let before = '';
    const settled = await vi.waitFor(
      async () => {
        const last = before;
        before = await frame();
        expect(before).toBe(last);
        return before;
      },
      { ...patiently, interval: 400 },
    );
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, settled);
  }
  const golden = readFileSync(file, 'utf8');
  await vi.waitFor(async () => expect(await frame()).toBe(golden), patiently);
}

/** Returns a screen without what differs from run to run: times, sizes, digests, ports. */
function comparable(screen: string, columns: number): string {
  const lines = screen.trimEnd().split('\n');
  return `${lines.map((line) => withFixedTimes(withFixedWords(line.trimEnd()), columns)).join('\n')}\n`;
}

function withFixedWords(line: string): string {
  return (
    line
      .replace(/oci-layout:\S+/, 'oci-layout:PATH')
      .replace(/sha256:[0-9a-f]+|\b[0-9a-f]{12}\b/g, 'DIGEST')
      .replace(/(?<=[ :])\d+(?:\.\d+)?[kM]?B\b/g, 'SIZE')
      // A slow transfer has a rate.
      .replace(/ SIZE\/s(?: \S+ left)?/, '')
      .replace(/\[=*> *\]/, '[===>      ]')
      .replace(/ \d+% /, ' 50% ')
      .replace(/127\.0\.0\.1:\d+|127\.0\.0\.1 \d+/g, '127.0.0.1:PORT')
      .replace(/linux\/\w+/, 'linux/amd64')
      .replace(/^\d\.\d{3}|^\d\d\.\d\d/, '0.000')
      .replace(/\bin \d+\.\ds/, 'in 0.0s')
  );
}

/** Times have more digits on a slow machine, so the texts before them lose what that would cut. */
function withFixedTimes(line: string, columns: number): string {
  const header = /^\[\+\] Building [\d.]+s (\S.*?)(?: {2,}(\S.*))?$/.exec(line);
  if (header !== null) {
    const [, state = '', what = ''] = header;
    const text = `[+] Building 0.0s ${state}`;
    return what === '' ? text : `${text.padEnd(columns - 1 - what.length)}${what}`;
  }
  const step = /^( => .*?) *\d+\.\ds$/.exec(line);
  if (step === null) return line;
  const room = columns - 12;
  return `${padToWidth(cutToWidth(step[1] ?? '', room), room)}    0.0s`;
}
