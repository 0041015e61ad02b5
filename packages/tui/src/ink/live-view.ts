import { render } from 'ink';
import { createElement } from 'react';
import type { BuildView } from '../build-view.ts';
import type { Screen } from '../rows.ts';
import { sizeOf, type TextOutput } from '../text-output.ts';
import { App } from './app.tsx';

export interface LiveViewOptions extends Screen {
  readonly now: () => number;
  /** The current state of the build. */
  readonly view: () => BuildView;
}

const FRAMES_PER_SECOND = 5;

/** Draws the build on `out` until `end`, which leaves the last state there. */
export function openLiveView(out: TextOutput, options: LiveViewOptions): { end(view: BuildView): Promise<void> } {
  const screen = (): Screen => ({
    ...options,
    ...sizeOf(out, options),
  });
  const frame = (view: BuildView, ended = false) =>
    createElement(App, { view, now: options.now(), screen: screen(), ended });
  // ink uses no more of a stream than this, but its type asks for a terminal.
  const terminal = out as NodeJS.WriteStream;
  const instance = render(frame(options.view()), {
    stdout: terminal,
    stderr: terminal,
    patchConsole: false,
    exitOnCtrlC: false,
    maxFps: 30,
  });
  const clock = setInterval(() => instance.rerender(frame(options.view())), 1000 / FRAMES_PER_SECOND);
  return {
    async end(view) {
      clearInterval(clock);
      instance.rerender(frame(view, true));
      instance.unmount();
      await instance.waitUntilExit();
    },
  };
}
