import type { ProgressEvent } from '@tbuild/progress';
import { emptyView, reduce, stepsIn, type BuildView, type StepView, type WarningView } from './build-view.ts';
import { epilogue, explanations, failures } from './epilogue.ts';
import { jsonLine } from './json.ts';
import { createKeptOutput } from './kept-output.ts';
import { createPlainPrinter, type PlainPrinter } from './plain.ts';
import { summaryLines } from './rows.ts';
import { createSectionPrinter } from './sections.ts';
import { withoutColours } from './terminal-line.ts';
import { sizeOf, type TextOutput } from './text-output.ts';
import type { Theme } from './theme.ts';

/**
 * `tty` draws on a terminal, `plain` prints lines, `sections` lines in sections that a GitLab job folds, `json` BuildKit's
 * rawjson, `quiet` only the output of failed steps.
 */
export type DisplayMode = 'tty' | 'plain' | 'sections' | 'json' | 'quiet';

export interface DisplayOptions {
  readonly mode: DisplayMode;
  /** Returns milliseconds since the epoch, by the clock of the events. */
  readonly now: () => number;
  /** For `tty` only. Defaults to what the stream reports. */
  readonly columns?: number;
  readonly rows?: number;
  readonly color?: boolean;
  /** The colours of the terminal display. */
  readonly theme?: Theme;
  /** For `tty` only: how many lines of output a running step shows. */
  readonly tailLines?: number;
  /** For `tty` only: how long the build took before, in milliseconds. */
  readonly expected?: number;
  /** For `tty` only: names of what is built, the longest first. */
  readonly what?: readonly string[];
  /** Returns the text below each warning at the end; without it, a warning is one line. */
  readonly expandWarning?: (warning: WarningView) => string;
  /** Print for each step that ran why it was not cached. */
  readonly explain?: boolean;
  /** For `sections` only: the beginning of their names, unique in the log of a job. */
  readonly sectionName?: string;
}

/** A drawing of the running build; `end` leaves its last state on the screen. */
interface Drawing {
  update(view: BuildView, event: ProgressEvent): void;
  end(view: BuildView): Promise<void> | void;
}

type Draw = (out: TextOutput, options: DisplayOptions) => Drawing;

/**
 * Shows events until they end, then the output of failed steps. Writes to `out` only, and resolves when everything is
 * written. The caller chooses the mode: nothing here asks whether `out` is a terminal.
 */
export async function display(
  events: AsyncIterable<ProgressEvent>,
  out: TextOutput,
  options: DisplayOptions,
): Promise<void> {
  const drawing = DRAWINGS[options.mode](out, options);
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
  sections: drawSections,
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

/**
 * Events that arrive within this time are printed together, so that steps that end at once do not interrupt each other.
 */
const PLAIN_INTERVAL = 100;

/** How often to look for unfinished lines and hidden steps while no event arrives. */
const QUIET_INTERVAL = 1000;

function drawPlain(out: TextOutput, options: DisplayOptions): Drawing {
  const { now, expandWarning, explain } = options;
  const printer = createPlainPrinter((text) => out.write(text), { explain });
  const waits = (running: readonly StepView[]): boolean =>
    running.length > 1 || running.some(({ log }) => log.open !== undefined);
  return drawLines({ ...printer, end: printer.print, waits }, now, (view) =>
    out.write(epilogue(view, { expandWarning })),
  );
}

function drawSections(out: TextOutput, options: DisplayOptions): Drawing {
  const { now, expandWarning, explain, color = true, sectionName: name = 'tbuild' } = options;
  const printer = createSectionPrinter((text) => writeText(out, text, color), { name, explain, color });
  return drawLines({ ...printer, waits: (running) => running.length > 0 }, now, (view) =>
    writeText(out, epilogue(view, { color, expandWarning }), color),
  );
}

interface LinePrinter extends PlainPrinter {
  /** Prints what is left when the build has ended. */
  end(view: BuildView, now: number): void;
  /** Returns whether time alone may bring something to print. */
  waits(running: readonly StepView[]): boolean;
}

function drawLines(printer: LinePrinter, now: () => number, conclude: (view: BuildView) => void): Drawing {
  const print = (view: BuildView): void => printer.print(view, now());
  const collected = collect(PLAIN_INTERVAL, print);
  let latest = emptyView;
  let quiet: NodeJS.Timeout | undefined;
  const look = (): void => {
    print(latest);
    quiet = printer.waits(stepsIn(latest, 'running')) ? setTimeout(look, QUIET_INTERVAL) : undefined;
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
      printer.end(view, now());
      conclude(view);
    },
  };
}

/** A build that ends sooner is not worth loading the terminal view. */
const TERMINAL_DELAY = 250;

function drawTerminal(out: TextOutput, options: DisplayOptions): Drawing {
  const size = sizeOf(out);
  const screen = {
    columns: options.columns ?? size.columns,
    rows: options.rows ?? size.rows,
    color: options.color ?? true,
    theme: options.theme,
    tailLines: options.tailLines,
    expected: options.expected,
    what: options.what,
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
      const text = epilogue(view, {
        color: screen.color,
        theme: screen.theme,
        expandWarning: options.expandWarning,
        output,
      });
      writeText(out, text, screen.color);
    },
  };
}

/** Calls `flush` with the latest view, at most once per interval. */
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
