import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, vi } from 'vitest';
import { patiently } from './patience.ts';
import { runChecked } from './run-process.ts';
import { scratchDirectory } from './scratch.ts';

export interface Terminal extends AsyncDisposable {
  /** The screens that were shown until the program ended, sampled every 50 ms. */
  screens(): Promise<readonly string[]>;
  /** The screen without colours; a line that the terminal broke is one line. */
  screen(): Promise<string>;
  /** The screen with escape sequences for its colours. */
  paintedScreen(): Promise<string>;
  /** The scrollback and the screen. */
  scrollback(): Promise<string>;
  /** Types keys by their names in tmux: letters, `Enter`, `C-c`. */
  type(...keys: readonly string[]): Promise<void>;
  /** Types a text as it is, then each of the keys by its name in tmux, such as `Enter` or `C-c`. */
  send(text: string, ...keys: readonly string[]): Promise<void>;
  /** Waits until the scrollback has a text, and returns the scrollback. */
  waitFor(text: string | RegExp): Promise<string>;
  resize(columns: number, rows: number): Promise<void>;
  /** Whether the cursor is shown, on the main screen and without a mode that changes what keys or text do. */
  isReset(): Promise<boolean>;
  /** Undefined while the program runs. */
  exitCode(): number | undefined;
}

const MODES = '#{cursor_flag} #{alternate_on} #{mouse_any_flag} #{keypad_flag} #{insert_flag} #{wrap_flag}';

export interface TerminalOptions {
  readonly columns?: number;
  readonly rows?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** Runs a program in a terminal of tmux's. */
export async function startTerminal(
  command: readonly string[],
  { columns = 100, rows = 30, env = {}, cwd = '.' }: TerminalOptions = {},
): Promise<Terminal> {
  const directory = scratchDirectory('terminal');
  const ended = join(directory, 'ended');
  const quoted = (words: readonly string[]): string => words.map((word) => `'${word}'`).join(' ');
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  // Ctrl-C is for the program, not for the shell that waits for it.
  const shell = `trap : INT; ${quoted(['env', ...variables, ...command])}; echo $? > ${ended}.new; mv ${ended}.new ${ended}; printf '\\033]2;ended\\033\\\\'; sleep 600`;
  const tmux = (...args: readonly string[]) => runChecked('tmux', ['-S', join(directory, 'socket'), ...args]);
  const size = ['-c', resolve(cwd), '-x', String(columns), '-y', String(rows)];
  await tmux('-f', '/dev/null', 'set', '-g', 'history-limit', '50000', ';', 'new-session', '-d', ...size, shell);
  const exitCode = (): number | undefined => (existsSync(ended) ? Number(readFileSync(ended, 'utf8')) : undefined);
  /** The title of the pane comes after all that the program wrote. */
  const isDrawn = async (): Promise<boolean> =>
    (await tmux('display-message', '-p', '#{pane_title}')).trim() === 'ended';
  return {
    async screens() {
      const seen: string[] = [];
      for (let isOver = false; !isOver; await sleep(50)) {
        isOver = exitCode() !== undefined && (await isDrawn());
        seen.push(await tmux('capture-pane', '-p'));
      }
      return seen;
    },
    screen: () => tmux('capture-pane', '-p', '-J'),
    paintedScreen: () => tmux('capture-pane', '-p', '-J', '-e'),
    isReset: async () => (await tmux('display-message', '-p', MODES)).trim() === '1 0 0 0 0 1',
    async send(text, ...keys) {
      if (text !== '') await tmux('send-keys', '-l', text);
      if (keys.length > 0) await tmux('send-keys', ...keys);
    },
    waitFor: (text) =>
      vi.waitFor(async () => {
        const shown = await tmux('capture-pane', '-p', '-J', '-S', '-');
        expect(shown).toMatch(text);
        return shown;
      }, patiently),
    resize: async (columns, rows) => void (await tmux('resize-window', '-x', String(columns), '-y', String(rows))),
    async scrollback() {
      while (exitCode() !== undefined && !(await isDrawn())) await sleep(20);
      return tmux('capture-pane', '-p', '-S', '-');
    },
    type: async (...keys) => void (await tmux('send-keys', ...keys)),
    exitCode,
    [Symbol.asyncDispose]: async () => void (await tmux('kill-server')),
  };
}
