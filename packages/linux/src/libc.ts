import { createRequire } from 'node:module';
import { getSystemErrorName } from 'node:util';

type Parameter = string | number | bigint | Uint8Array | object | null;
type LibraryCall = (...parameters: Parameter[]) => number;

type Koffi = typeof import('koffi');

let loaded: { koffi: Koffi; library: import('koffi').LibraryHandle } | undefined;

/** Returns whether something in this process has made a call, so that another one costs no loading. */
export function isLibraryLoaded(): boolean {
  return loaded !== undefined;
}

/** Loads koffi, which takes some milliseconds. A build that finds everything in its cache never calls this. */
function load(): NonNullable<typeof loaded> {
  if (loaded !== undefined) return loaded;
  const require = createRequire(import.meta.url);
  const koffi = loadLibrary(require) ?? require('koffi');
  loaded = { koffi, library: koffi.load(null) };
  return loaded;
}

/**
 * Loads koffi's native library directly. Its own loader takes 6 of 7 ms because it first detects which C library Node
 * uses. Returns undefined with another C library.
 */
function loadLibrary(require: NodeJS.Require): Koffi | undefined {
  try {
    return require(`@koromix/koffi-linux-${process.arch}/linux_${process.arch}/koffi.node`);
  } catch {
    return undefined;
  }
}

/** A struct that prototypes may name; calls pass an object for it. */
export interface LibraryStruct {
  readonly name: string;
  readonly members: Readonly<Record<string, string>>;
}

/** Returns a function of the C library, given by its C prototype. The first call looks it up. */
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

/** Returns the errno of the last failed call. */
export function lastError(): number {
  return load().koffi.errno();
}

/** Returns an error with the fields of Node's own file system errors: `code`, `errno`, `syscall` and `path`. */
export function systemError(syscall: string, path: string, errno = lastError()): NodeJS.ErrnoException {
  const code = getSystemErrorName(-errno);
  return Object.assign(new Error(`${code}: ${syscall} '${path}'`), { code, errno: -errno, syscall, path });
}
