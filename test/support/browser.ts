import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { scratchDirectory } from './scratch.ts';

/** A page in Debian's chromium. Disposing ends the browser. */
export interface Page extends AsyncDisposable {
  /** Errors and warnings of the page so far: of scripts, of its policy, of what it failed to load. */
  readonly complaints: readonly string[];
  /** Opens an address and waits until it is loaded. */
  open(url: string): Promise<void>;
  /** Sets the size of the window in pixels, whether the user prefers dark pages, and whether the page is as on paper. */
  resize(width: number, height: number, options?: { readonly dark?: boolean; readonly print?: boolean }): Promise<void>;
  /** Evaluates an expression in the page; waits for a promise. */
  evaluate<T>(expression: string): Promise<T>;
  /** Writes what is seen, or the whole page, to a PNG file. */
  screenshot(file: string, options?: { readonly whole?: boolean }): Promise<void>;
  /** Writes what a printer gets, as a PDF file on A4. */
  print(file: string): Promise<void>;
  /** Presses a key as the user does: `ArrowRight`, `/`. */
  press(key: string): Promise<void>;
}

/** Starts a browser with an empty page, over the DevTools protocol. */
export async function openBrowser(): Promise<Page> {
  const profile = scratchDirectory('browser');
  const flags = ['--headless=new', '--no-sandbox', '--disable-gpu', '--hide-scrollbars', '--disable-dev-shm-usage'];
  const child = spawn('chromium', [...flags, `--user-data-dir=${profile}`, '--remote-debugging-pipe', 'about:blank'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
  });
  const complaints: string[] = [];
  const connection = connect(child.stdio[3] as Writable, child.stdio[4] as Readable);
  const { targetInfos } = await connection.send<{ targetInfos: { targetId: string; type: string }[] }>(
    'Target.getTargets',
  );
  const targetId = targetInfos.find(({ type }) => type === 'page')?.targetId;
  const { sessionId } = await connection.send<{ sessionId: string }>('Target.attachToTarget', {
    targetId,
    flatten: true,
  });
  const send = <T>(method: string, params: object = {}): Promise<T> => connection.send(method, params, sessionId);
  connection.on('Log.entryAdded', ({ entry }: LogEntry) => {
    if (entry.level !== 'info' && entry.level !== 'verbose') complaints.push(entry.text);
  });
  connection.on('Runtime.exceptionThrown', ({ exceptionDetails }: Thrown) =>
    complaints.push(exceptionDetails.exception?.description ?? exceptionDetails.text),
  );
  const loaded = new Set<string>();
  connection.on('Page.lifecycleEvent', ({ name, loaderId }: Lifecycle) => name === 'load' && loaded.add(loaderId));
  for (const domain of ['Page', 'Log', 'Runtime']) await send(`${domain}.enable`);
  await send('Page.setLifecycleEventsEnabled', { enabled: true });
  const evaluate = async <T>(expression: string): Promise<T> => {
    const { result, exceptionDetails } = await send<Evaluated<T>>('Runtime.evaluate', {
      expression,
      returnByValue: true,
      awaitPromise: true,
    });
    if (exceptionDetails !== undefined)
      throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  };
  return {
    complaints,
    async open(url) {
      const { loaderId } = await send<{ loaderId: string }>('Page.navigate', { url });
      while (!loaded.has(loaderId)) await sleep(20);
    },
    async resize(width, height, { dark = false, print = false } = {}) {
      await send('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: false });
      const features = [{ name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' }];
      await send('Emulation.setEmulatedMedia', { media: print ? 'print' : '', features });
    },
    evaluate,
    async screenshot(file, { whole = false } = {}) {
      const options = { format: 'png', captureBeyondViewport: whole };
      const { data } = await send<{ data: string }>('Page.captureScreenshot', options);
      writeFileSync(file, Buffer.from(data, 'base64'));
    },
    async print(file) {
      const { data } = await send<{ data: string }>('Page.printToPDF', { paperWidth: 8.27, paperHeight: 11.69 });
      writeFileSync(file, Buffer.from(data, 'base64'));
    },
    async press(key) {
      const text = key.length === 1 ? { text: key } : {};
      await send('Input.dispatchKeyEvent', { type: 'keyDown', key, ...text });
      await send('Input.dispatchKeyEvent', { type: 'keyUp', key });
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}

interface ExceptionDetails {
  readonly text: string;
  readonly exception?: { readonly description?: string };
}
interface LogEntry {
  readonly entry: { readonly level: string; readonly text: string };
}
interface Thrown {
  readonly exceptionDetails: ExceptionDetails;
}
interface Lifecycle {
  readonly name: string;
  readonly loaderId: string;
}
interface Evaluated<T> {
  readonly result: { readonly value: T };
  readonly exceptionDetails?: ExceptionDetails;
}

interface Connection {
  send<T>(method: string, params?: object, sessionId?: string): Promise<T>;
  on<P>(method: string, listener: (params: P) => void): void;
}

/** Messages are JSON, each with a zero byte behind it. */
function connect(input: Writable, output: Readable): Connection {
  const waiting = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>();
  const listeners = new Map<string, ((params: never) => void)[]>();
  let last = 0;
  let rest = '';
  output.setEncoding('utf8').on('data', (text: string) => {
    const messages = (rest + text).split('\0');
    rest = messages.pop() ?? '';
    for (const { id, result, error, method, params } of messages.map((one) => JSON.parse(one))) {
      for (const listener of listeners.get(method) ?? []) listener(params as never);
      if (error === undefined) waiting.get(id)?.resolve(result);
      else waiting.get(id)?.reject(new Error(error.message));
    }
  });
  output.on('close', () => {
    for (const { reject } of waiting.values()) reject(new Error('The browser ended'));
  });
  return {
    send<T>(method: string, params: object = {}, sessionId?: string) {
      last += 1;
      const id = last;
      input.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
      return new Promise<T>((resolve, reject) =>
        waiting.set(id, { resolve: resolve as (result: unknown) => void, reject }),
      );
    },
    on: (method, listener) => void listeners.set(method, [...(listeners.get(method) ?? []), listener]),
  };
}
