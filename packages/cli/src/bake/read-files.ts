import { resolve } from 'node:path';
import type { BakeFile } from '@tbuild/bake';
import { TbuildError } from '@tbuild/errors';
import { readLimitedFile } from '@tbuild/linux';
import type { Environment } from '../config/environment.ts';

/** The files that are read without `-f`, in order, as far as they exist. */
const DEFAULT_FILES = [
  'compose.yaml',
  'compose.yml',
  'docker-compose.yml',
  'docker-compose.yaml',
  'docker-bake.json',
  'docker-bake.hcl',
  'docker-bake.override.json',
  'docker-bake.override.hcl',
];

/** Returns a file by its name, or undefined if it does not exist. */
export type ReadFile = (name: string) => BakeFile | undefined;

/** Where files of a bake may be, besides standard input. */
export interface FilePlaces {
  /** Reads a file of the directory that the names are relative to. */
  readonly read: ReadFile;
  readonly env: Pick<Environment, 'variables' | 'cwd' | 'stdin'>;
}

/**
 * Reads the files of a bake: those of `-f`, else those of `BUILDX_BAKE_FILE`, else those with the usual names.
 * @throws TbuildError BAKE_FILE for a file that does not exist, and without any file.
 */
export async function readFiles(given: readonly string[], places: FilePlaces): Promise<readonly BakeFile[]> {
  const listed = given.length > 0 ? given : listOf(places.env.variables);
  if (listed.length > 0) return Promise.all(listed.map((name) => readFile(name, places)));
  const found = DEFAULT_FILES.flatMap((name) => places.read(name) ?? []);
  if (found.length > 0) return found;
  throw new TbuildError('BAKE_FILE', 'There is no bake file here', {
    hint: 'Write a docker-bake.hcl or a compose.yaml, or name a file with -f FILE',
  });
}

function listOf({ BUILDX_BAKE_FILE: list, BUILDX_BAKE_FILE_SEPARATOR: separator }: Environment['variables']): string[] {
  return (list ?? '').split(separator || ':').filter((name) => name !== '');
}

async function readFile(name: string, { read, env }: FilePlaces): Promise<BakeFile> {
  if (name === '-') return { name, text: await readStream(env.stdin) };
  const local = /^cwd:\/\/(.*)$/.exec(name)?.[1];
  const file = local === undefined ? read(name) : localFile(local, env.cwd);
  if (file !== undefined) return file;
  throw new TbuildError('BAKE_FILE', `The bake file ${JSON.stringify(name)} does not exist`, {
    hint: 'Check the path after -f',
  });
}

const LARGEST = 4 * 1024 * 1024;

async function readStream(stdin: Environment['stdin']): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stdin) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > LARGEST) throw new TbuildError('BAKE_FILE', 'The bake file on standard input is larger than 4 MiB');
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString();
}

/** Reads a file of this machine. Returns undefined if it does not exist. @throws TbuildError BAKE_FILE */
export function localFile(name: string, cwd: string): BakeFile | undefined {
  const what = `The bake file ${JSON.stringify(name)}`;
  const bytes = readLimitedFile(resolve(cwd, name), { what, code: 'BAKE_FILE', pipes: true, limit: LARGEST });
  return bytes === undefined ? undefined : { name, text: bytes.toString() };
}
