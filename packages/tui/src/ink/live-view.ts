import { stripVTControlCharacters } from 'node:util';
import { render } from 'ink';
import { createElement } from 'react';
import type { BuildView } from '../build-view.ts';
import { widthOf } from '../display-width.ts';
import type { Screen } from '../rows.ts';
import { sizeOf, type TextOutput } from '../text-output.ts';
import { App } from './app.tsx';

export interface LiveViewOptions extends Screen {
  readonly now: () => number;
  /** The current state of the build. */
  readonly view: () => BuildView;
}

/** Milliseconds between frames: while something happens, and while only the time passes. */
const INTERVAL = 200;
const QUIET_INTERVAL = 600;

/** Draws the build on `out` until `end`, which leaves the last state there. */
export function openLiveView(out: TextOutput, options: LiveViewOptions): { end(view: BuildView): Promise<void> } {
  const screen = (): Screen => ({
    ...options,
    ...sizeOf(out, options),
  });
  const frame = (view: BuildView, ended = false) =>
    createElement(App, { view, now: options.now(), screen: screen(), ended });
  const { terminal, eraseReflowed } = terminalFor(out, options);
  const instance = render(frame(options.view()), {
    stdout: terminal,
    stderr: terminal,
    patchConsole: false,
    exitOnCtrlC: false,
    maxFps: 30,
  });
  let drawn = { view: options.view(), at: options.now() };
  const update = (): void => {
    drawn = { view: options.view(), at: options.now() };
    instance.rerender(frame(drawn.view));
  };
  const tick = (): void => {
    if (options.view() !== drawn.view || options.now() - drawn.at >= QUIET_INTERVAL) update();
  };
  const clock = setInterval(tick, INTERVAL);
  const onResize = (): void => {
    eraseReflowed();
    instance.clear();
    update();
  };
  out.on('resize', onResize);
  return {
    async end(view) {
      clearInterval(clock);
      out.off('resize', onResize);
      instance.rerender(frame(view, true));
      instance.unmount();
      await instance.waitUntilExit();
    },
  };
}

interface InkTerminal {
  readonly terminal: NodeJS.WriteStream;
  /** Erases the lines of the last frame that are there only since a narrower terminal broke longer lines. */
  eraseReflowed(): void;
}

/**
 * Returns the terminal as ink sees it: without changes of its size, and never too low. Else ink would erase too few lines,
 * or with a frame that is higher than the new screen, all that the terminal remembers.
 */
function terminalFor(out: TextOutput, unknown: Pick<Screen, 'columns' | 'rows'>): InkTerminal {
  let last = '';
  const terminal = {
    isTTY: out.isTTY,
    get columns() {
      return sizeOf(out, unknown).columns;
    },
    rows: Number.MAX_SAFE_INTEGER,
    write(text: string, done?: () => void) {
      if (text.includes('\n')) last = text;
      return out.write(text, done);
    },
    on: () => terminal,
    off: () => terminal,
  };
  return {
    // ink uses no more of a stream than this, but its type asks for all.
    terminal: terminal as unknown as NodeJS.WriteStream,
    eraseReflowed() {
      const { columns } = terminal;
      const lines = stripVTControlCharacters(last).split('\n').slice(0, -1);
      const added = lines.reduce((sum, line) => sum + Math.max(0, Math.ceil(widthOf(line) / columns) - 1), 0);
      if (added > 0) out.write('\x1b[1A\x1b[2K'.repeat(added));
    },
  };
}
