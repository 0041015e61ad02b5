import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { BUILDKIT_WORDS } from './goldens/buildkit-words.ts';

// Compares messages.md, which is made from real runs, with BuildKit's sentences. UPDATE_GOLDENS=1 rewrites the table.

const goldens = join(import.meta.dirname, 'goldens');
const messages = readFileSync(join(goldens, 'messages.md'), 'utf8');
const table = join(goldens, 'buildkit-words.md');

function messageOf(title: string): string {
  const start = messages.indexOf(`\n### ${title}\n`);
  if (start < 0) throw new Error(`messages.md has no section ${JSON.stringify(title)}`);
  const section = messages.slice(start, messages.indexOf('\n[exit code', start));
  return /^ERROR: (.*)$/m.exec(section)?.[1] ?? '';
}

test.each(BUILDKIT_WORDS)('%s in words that contain those of BuildKit', (title, sentence) => {
  expect(messageOf(title).toLowerCase()).toContain(sentence.toLowerCase());
});

test('the table shows the messages beside those of BuildKit', () => {
  const code = (text: string): string => `\`\`${text.includes('`') ? ` ${text} ` : text}\`\``.replaceAll('|', '\\|');
  const rows = BUILDKIT_WORDS.map(([title, words]) => `| ${title} | ${code(words)} | ${code(messageOf(title))} |`);
  const text = `# BuildKit's words\n\nMade by \`test/buildkit-words.test.ts\` from \`messages.md\`.\n\n| case | BuildKit | tbuild |\n|---|---|---|\n${rows.join('\n')}\n`;
  if (process.env.UPDATE_GOLDENS === '1') writeFileSync(table, text);
  expect(readFileSync(table, 'utf8')).toBe(text);
});
