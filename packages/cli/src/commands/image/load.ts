import { resolve } from 'node:path';
import { addAbortSignal } from 'node:stream';
import { errnoName, hasCode, TbuildError } from '@tbuild/errors';
import { loadArchive } from '@tbuild/images';
import { openInput } from '@tbuild/linux';
import { familiarReference, parseReference } from '@tbuild/oci';
import { acquireLease, afterRemovals } from '@tbuild/store';
import type { Environment } from '../../config/environment.ts';
import { storeCommand } from '../store-command.ts';

export const load = storeCommand({
  summary: 'Load images from an archive into the store: from docker save, podman save or an OCI layout',
  usage: 'load [OPTIONS]',
  flags: {
    input: {
      kind: 'text',
      short: 'i',
      value: 'FILE',
      help: 'The archive, compressed or not (default: standard input)',
    },
    tag: { kind: 'text', short: 't', value: 'NAME', help: 'Name the image of an archive that holds no name' },
    quiet: { kind: 'switch', short: 'q', help: 'No effect: load shows no progress' },
  },
  takes: [0, 0],
  async run({ flags, services, env, signal }) {
    using _lease = acquireLease(services.store);
    await afterRemovals(services.store, { now: () => services.now(), signal });
    const loaded = await loadArchive(readInput(flags.input, env, signal), services, signal).catch((cause: unknown) => {
      // A limit that the archive exceeds has a hint.
      if (!hasCode(cause, 'SNAPSHOT') || cause.hint !== undefined) throw cause;
      throw new TbuildError(
        'SNAPSHOT',
        `Cannot read the archive ${JSON.stringify(flags.input ?? '-')}: it is damaged or not an archive`,
        { cause },
      );
    });
    for (const { target, names } of loaded) {
      const name = flags.tag !== undefined && names.length === 0 ? parseReference(flags.tag) : undefined;
      if (name !== undefined) services.refs.set([{ reference: name, target }]);
      const all = name === undefined ? names : [name];
      if (all.length === 0) services.refs.keep(target);
      env.stdout.write(
        all.length === 0
          ? `Loaded image ID: ${target.digest}\n`
          : all.map((one) => `Loaded image: ${familiarReference(one)}\n`).join(''),
      );
    }
  },
});

async function* readInput(
  file: string | undefined,
  { cwd, stdin }: Environment,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  if (file === undefined && stdin.isTTY)
    throw new TbuildError('USAGE', 'Standard input holds no archive', { hint: 'Name it with -i FILE' });
  try {
    yield* file === undefined
      ? addAbortSignal(signal, stdin)
      : openInput(resolve(cwd, file), { what: `Archive ${JSON.stringify(file)}`, code: 'USAGE' }, signal);
  } catch (cause) {
    signal.throwIfAborted();
    if (errnoName(cause) !== 'ENOENT') throw cause;
    throw new TbuildError('USAGE', `Archive ${JSON.stringify(file)} does not exist`, { cause });
  }
}
