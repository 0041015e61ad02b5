import type { ProgressEvent } from '@tbuild/progress';
import { emptyView, reduce, stepsIn, type BuildView, type WarningView } from './build-view.ts';
import { epilogue, explanations, failures } from './epilogue.ts';
import { jsonLine } from './json.ts';
import { createKeptOutput } from './kept-output.ts';
import { createPlainPrinter } from './plain.ts';
import { summaryLines } from './rows.ts';
import { withoutColours } from './terminal-line.ts';
import { sizeOf, type TextOutput } from './text-output.ts';

/** `tty` draws on a terminal, `plain` prints lines, `json` BuildKit's rawjson, `quiet` only the output of steps that fail. */
export type DisplayMode = 'tty' | 'plain' | 'json' | 'quiet';

export interface DisplayOptions {
  /** Milliseconds since the epoch, by the clock that the events' times come from. */
  readonly now: () => number;
  /** `tty` only; default: what the stream says. */
  readonly columns?: number;
  readonly rows?: number;
  readonly color?: boolean;
  /** What to write below each warning at the end; without it they are one line each. */
  readonly expandWarning?: (warning: WarningView) => string;
  /** Says of each step that ran why the cache had nothing. */
  readonly explain?: boolean;
}

/** What is drawn while the build runs; `end` also leaves the last state on the screen. */
interface Drawing {
  update(view: BuildView, event: ProgressEvent): void;
  end(view: BuildView): Promise<void> | void;
}

type Draw = (out: TextOutput, options: DisplayOptions) => Drawing;

/**
 * Shows events until they end, then what the steps that failed have printed. Writes to `out` only; resolves when all is written.
 * The mode is the caller's choice: nothing here asks whether `out` is a terminal.
 */
export async function display(
  events: AsyncIterable<ProgressEvent>,
  mode: DisplayMode,
  out: TextOutput,
  options: DisplayOptions,
): Promise<void> {
  const drawing = DRAWINGS[mode](out, options);
  let view = emptyView;
  try {
    for await (const event of events) {
      view = reduce(view, event, options.now());
      drawing.update(view, event);
    }
  } finally {
    await drawing.end(view);
  }
}

const DRAWINGS: Readonly<Record<DisplayMode, Draw>> = {
  plain: drawPlain,
  json: (out, { now }) => ({ update: (view, event) => void out.write(jsonLine(view, event, now())), end: () => {} }),
  quiet: drawQuiet,
  tty: drawTerminal,
};

function drawQuiet(out: TextOutput, { color = true }: DisplayOptions): Drawing {
  const output = createKeptOutput();
  return {
    update: (view, event) => output.take(view, event),
    end: (view) => writeText(out, failures(view, output), color),
  };
}

function writeText(out: TextOutput, text: string, color: boolean): void {
  if (text !== '') out.write(color ? text : withoutColours(text));
}

/** Events that come close together are printed together: steps that end at once need not interrupt each other. */
const PLAIN_INTERVAL = 100;

/** How often unfinished lines and steps that another one hides are looked at when nothing happens. */
const QUIET_INTERVAL = 1000;

function drawPlain(out: TextOutput, { now, expandWarning, explain }: DisplayOptions): Drawing {
  const printer = createPlainPrinter((text) => out.write(text), { explain });
  const print = (view: BuildView): void => printer.print(view, now());
  const collected = collect(PLAIN_INTERVAL, print);
  let latest = emptyView;
  let quiet: NodeJS.Timeout | undefined;
  const look = (): void => {
    print(latest);
    const running = stepsIn(latest, 'running');
    const waits = running.length > 1 || running.some(({ log }) => log.open !== undefined);
    quiet = waits ? setTimeout(look, QUIET_INTERVAL) : undefined;
  };
  return {
    update(view, event) {
      const isFull = 'step' in event && event.step !== undefined && printer.take(view, event.step, now());
      latest = view;
      collected.update(view);
      if (isFull) print(view);
      if (event.type === 'log' || event.type === 'started') quiet ??= setTimeout(look, QUIET_INTERVAL);
    },
    end(view) {
      collected.stop();
      clearTimeout(quiet);
      printer.print(view, now());
      out.write(epilogue(view, { expandWarning }));
    },
  };
}

/** A build that is over sooner is not worth loading the terminal view. */
const TERMINAL_DELAY = 250;

function drawTerminal(out: TextOutput, options: DisplayOptions): Drawing {
  const size = sizeOf(out);
  const screen = {
    columns: options.columns ?? size.columns,
    rows: options.rows ?? size.rows,
    color: options.color ?? true,
  };
  const output = createKeptOutput();
  let latest = emptyView;
  let live: Promise<{ end(view: BuildView): Promise<void> }> | undefined;
  const timer = setTimeout(() => {
    live = import('./ink/live-view.ts').then(({ openLiveView }) =>
      openLiveView(out, { ...screen, now: options.now, view: () => latest }),
    );
  }, TERMINAL_DELAY);
  return {
    update(view, event) {
      latest = view;
      output.take(view, event);
    },
    async end(view) {
      clearTimeout(timer);
      latest = view;
      if (live !== undefined) await (await live).end(view);
      else if (view.started > 0) out.write(`${summaryLines(view, options.now(), screen).join('\n')}\n`);
      if (options.explain === true) out.write(explanations(view));
      const text = epilogue(view, { color: screen.color, expandWarning: options.expandWarning, output });
      writeText(out, text, screen.color);
    },
  };
}

/** Calls `flush` with the latest view at most once an interval. */
function collect(interval: number, flush: (view: BuildView) => void): { update(view: BuildView): void; stop(): void } {
  let timer: NodeJS.Timeout | undefined;
  let latest = emptyView;
  return {
    update(view) {
      latest = view;
      timer ??= setTimeout(() => {
        timer = undefined;
        flush(latest);
      }, interval);
    },
    stop: () => clearTimeout(timer),
  };
}
