import { spawn } from 'node:child_process';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What is wrong with the answers of a git server on one connection. */
export type StreamFault =
  /** Nothing comes. */
  | { readonly kind: 'hang' }
  /** Nothing comes after so many bytes. */
  | { readonly kind: 'stall'; readonly after: number }
  /** A byte comes now and then. */
  | { readonly kind: 'dribble'; readonly everyMs: number }
  /** The connection ends after so many bytes. */
  | { readonly kind: 'cut'; readonly after: number }
  | { readonly kind: 'reset' }
  /** One byte is changed. */
  | { readonly kind: 'corrupt'; readonly at: number }
  | { readonly kind: 'delay'; readonly milliseconds: number }
  /** This comes instead, once or without end. */
  | { readonly kind: 'say'; readonly text: string; readonly endless?: boolean };

export interface GitStreams extends AsyncDisposable {
  readonly port: number;
  /** Decides the fault of each connection. */
  decide: () => StreamFault | undefined;
}

/** Starts a server with a git process of its own for each connection, which fails as it is told. */
export async function startGitStreams(args: readonly string[]): Promise<GitStreams> {
  const sockets = new Set<Socket>();
  // Git says that it has nothing more to ask for before it reads the answer.
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    void serve(socket, args, streams.decide()).catch(() => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const streams: GitStreams = {
    port: (server.address() as AddressInfo).port,
    decide: () => undefined,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return streams;
}

/** Serves the repositories below a directory over `git://`. */
export function startGitDaemon(directory: string): Promise<GitStreams> {
  return startGitStreams(['daemon', '--inetd', '--export-all', '--log-destination=stderr', `--base-path=${directory}`]);
}

async function serve(socket: Socket, args: readonly string[], fault: StreamFault | undefined): Promise<void> {
  if (fault?.kind === 'hang') return void socket.resume();
  if (fault?.kind === 'reset') return void setTimeout(() => socket.resetAndDestroy(), 100);
  if (fault?.kind === 'delay') await sleep(fault.milliseconds);
  if (fault?.kind === 'say') return say(socket, fault);
  const git = spawn('git', args, { stdio: ['pipe', 'pipe', 'ignore'] });
  git.stdin.on('error', () => {});
  socket.pipe(git.stdin);
  socket.on('close', () => git.kill());
  let at = 0;
  for await (const chunk of git.stdout as AsyncIterable<Buffer>) {
    if ((fault?.kind === 'cut' || fault?.kind === 'stall') && at + chunk.length > fault.after) {
      socket.write(chunk.subarray(0, Math.max(0, fault.after - at)));
      if (fault.kind === 'cut') socket.end();
      return;
    }
    const change = fault?.kind === 'corrupt' ? fault.at - at : -1;
    if (change >= 0 && change < chunk.length) chunk[change] = (chunk[change] ?? 0) ^ 0xff;
    if (fault?.kind === 'dribble') await dribble(socket, chunk, fault.everyMs);
    else socket.write(chunk);
    at += chunk.length;
  }
  socket.end();
}

async function say(socket: Socket, { text, endless = false }: Extract<StreamFault, { kind: 'say' }>): Promise<void> {
  socket.resume();
  while (endless && !socket.destroyed) {
    if (!socket.write(text)) await sleep(10);
  }
  socket.end(text);
}

async function dribble(socket: Socket, chunk: Buffer, everyMs: number): Promise<void> {
  for (const byte of chunk) {
    if (socket.destroyed) return;
    socket.write(Buffer.of(byte));
    await sleep(everyMs);
  }
}
