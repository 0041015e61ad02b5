import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { relay, type Side } from './relay.ts';

// The entry point of the process between git and its server: `SECONDS SSH ARGUMENTS…`, or `SECONDS --connect HOST PORT`.
const [seconds, program = '', ...args] = process.argv.slice(2);

run()
  .then(
    (exitCode) => (process.exitCode = exitCode),
    ({ code, message }: NodeJS.ErrnoException) => {
      process.exitCode = 1;
      process.stderr.write(`fatal: ${message || code}\n`);
    },
  )
  // Ends the process as soon as git has everything.
  .finally(() => process.stdin.destroy());

async function run(): Promise<number> {
  if (program === '--connect') {
    const [host, port] = args;
    // Node gives an address 250 ms before it gives it up for the next one.
    const socket = connect({ host, port: Number(port), autoSelectFamilyAttemptTimeout: 10_000 });
    await pass({ input: socket, output: socket });
    return 0;
  }
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  try {
    const [[code]] = await Promise.all([once(child, 'close'), pass({ input: child.stdout, output: child.stdin })]);
    return code ?? 1;
  } finally {
    child.kill();
  }
}

/** Who no longer listens has ended, which the other direction shows. */
async function pass(server: Side): Promise<void> {
  server.output.on('error', () => {});
  await relay({ input: process.stdin, output: process.stdout }, server, Number(seconds) * 1000);
}
