import { createRequire } from 'node:module';
import { getSystemErrorName } from 'node:util';

type Parameter = string | number | bigint | Uint8Array | object | null;
type LibraryCall = (...parameters: Parameter[]) => number;

type Koffi = typeof import('koffi');

let loaded: { koffi: Koffi; library: import('koffi').LibraryHandle } | undefined;

/** It costs some milliseconds, which a build that finds all in its cache shall not pay. */
function load(): NonNullable<typeof loaded> {
  if (loaded !== undefined) return loaded;
  const require = createRequire(import.meta.url);
  const koffi = loadLibrary(require) ?? require('koffi');
  loaded = { koffi, library: koffi.load(null) };
  return loaded;
}

/** koffi's own way to its library takes 6 ms of 7: it tells first which C library Node uses. With another one this fails. */
function loadLibrary(require: NodeJS.Require): Koffi | undefined {
  try {
    return require(`@koromix/koffi-linux-${process.arch}/linux_${process.arch}/koffi.node`);
  } catch {
    return undefined;
  }
}

/** A struct that prototypes may name; calls take an object for it. */
export interface LibraryStruct {
  readonly name: string;
  readonly members: Readonly<Record<string, string>>;
}

/** A function of the C library by its C prototype, looked up at the first call. */
export function libraryCall(prototype: string, ...structs: readonly LibraryStruct[]): LibraryCall {
  let bound: LibraryCall | undefined;
  return (...parameters) => {
    bound ??= bind(prototype, structs);
    return bound(...parameters);
  };
}

function bind(prototype: string, structs: readonly LibraryStruct[]): LibraryCall {
  const { koffi, library } = load();
  for (const { name, members } of structs) koffi.struct(name, { ...members });
  return library.func(prototype);
}

/** The number of the last failed call's error. */
export function lastError(): number {
  return load().koffi.errno();
}

/** An error as Node's own file functions throw it: with `code`, `errno`, `syscall` and `path`. */
export function systemError(syscall: string, path: string, errno = lastError()): NodeJS.ErrnoException {
  const code = getSystemErrorName(-errno);
  return Object.assign(new Error(`${code}: ${syscall} '${path}'`), { code, errno: -errno, syscall, path });
}
