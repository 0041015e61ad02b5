import type { Readable } from 'node:stream';
import { TbuildError } from '@tbuild/errors';
import { familiarRepository, isDigest, type Digest, type Platform, type Reference } from '@tbuild/oci';
import type { EngineAddress } from './engine-address.ts';
import { createEngineClient, type EngineAnswer, type EngineClient } from './engine-client.ts';
import { parseImage, type EngineImage } from './image-engine.ts';
import type { Programs } from './program-output.ts';

/** What of an engine decides how it takes an image. */
export interface EngineFacts {
  /** Whether images are in containerd's store, which holds indexes. */
  readonly hasContainerdStore: boolean;
  readonly platform: Platform;
}

/** The part of a Docker Engine's API that tbuild uses. Disposing it closes the connection. */
export interface DockerEngine extends AsyncDisposable {
  /** Asks whether the engine answers; returns the error if it does not. */
  ping(signal: AbortSignal): Promise<TbuildError | undefined>;
  facts(signal: AbortSignal): Promise<EngineFacts>;
  /** Returns the IDs of all images; none of an engine that takes only whole images. */
  imageIds(signal: AbortSignal): Promise<readonly Digest[]>;
  /** Returns an image by its name or ID, or undefined. */
  image(name: string, signal: AbortSignal): Promise<EngineImage | undefined>;
  /** Returns the archive of an image, as `docker save` writes it. */
  saveImage(id: string, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /**
   * Sends an archive and waits until the engine has loaded it.
   * @throws TbuildError PROCESS_FAILED with the engine's message, UNSUPPORTED when it does not answer.
   */
  loadImage(archive: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void>;
  /** Gives names to an image. Returns false when the engine has none with this ID any more. */
  tagImage(id: Digest, names: readonly Reference[], signal: AbortSignal): Promise<boolean>;
}

/**
 * Returns the engine at an address. Does not connect yet.
 * @throws TbuildError UNSUPPORTED for other kinds of address.
 */
export function openDockerEngine(address: EngineAddress, programs: Programs): DockerEngine {
  const client = createEngineClient(address, programs);
  return {
    async ping(signal) {
      try {
        const answer = await client.request({ path: '/_ping', method: 'GET', signal });
        await textOf((await accepted(answer, READING)).body);
        return undefined;
      } catch (error) {
        if (error instanceof TbuildError) return error;
        throw error;
      }
    },
    ...reading(client),
    ...loading(client),
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  };
}

function reading(client: EngineClient): Pick<DockerEngine, 'facts' | 'imageIds' | 'image' | 'saveImage'> {
  const get = (path: string, signal: AbortSignal) => client.request({ path, method: 'GET', signal });
  return {
    async facts(signal) {
      const { body } = await accepted(await get('/info', signal), READING);
      return parseFacts(jsonOf(await textOf(body), '/info'));
    },
    async imageIds(signal) {
      const { headers, body } = await accepted(await get('/images/json', signal), READING);
      const list = jsonOf(await textOf(body), '/images/json');
      // Podman needs every layer of an archive.
      if (!Array.isArray(list) || String(headers.server).startsWith('Libpod')) return [];
      return list.map((entry) => member(entry, 'Id')).filter(isId);
    },
    async image(name, signal) {
      const path = `/images/${name}/json`;
      const answer = await get(path, signal);
      if (answer.status !== 404) return parseImage(jsonOf(await textOf((await accepted(answer, READING)).body), path));
      await textOf(answer.body);
      return undefined;
    },
    async *saveImage(id, signal) {
      const { body } = await accepted(await get(`/images/${id}/get`, signal), 'send the image');
      // A stream of bytes gives nothing else.
      yield* body as AsyncIterable<Uint8Array>;
    },
  };
}

function loading(client: EngineClient): Pick<DockerEngine, 'loadImage' | 'tagImage'> {
  return {
    async loadImage(archive, signal) {
      const answer = await client.request({ path: '/images/load?quiet=1', method: 'POST', body: archive, signal });
      const failure = failureIn(await textOf((await accepted(answer, 'load the image')).body));
      if (failure !== undefined) throw new TbuildError('PROCESS_FAILED', `Docker could not load the image: ${failure}`);
    },
    async tagImage(id, names, signal) {
      for (const name of names) {
        const words = new URLSearchParams({ repo: familiarRepository(name), tag: name.tag ?? 'latest' });
        const { status, body } = await client.request({ path: `/images/${id}/tag?${words}`, method: 'POST', signal });
        await textOf(body);
        if (status >= 300) return false;
      }
      return true;
    },
  };
}

const READING = 'answer';

function isId(value: unknown): value is Digest {
  return typeof value === 'string' && isDigest(value);
}

function parseFacts(info: unknown): EngineFacts {
  const status = member(info, 'DriverStatus');
  const isSnapshotter = (row: unknown): boolean =>
    Array.isArray(row) && row[0] === 'driver-type' && row[1] === 'io.containerd.snapshotter.v1';
  const architecture = String(member(info, 'Architecture'));
  return {
    hasContainerdStore: Array.isArray(status) && status.some(isSnapshotter),
    platform: { os: String(member(info, 'OSType')), architecture: ARCHITECTURES[architecture] ?? architecture },
  };
}

/** Architectures are those of uname in this answer. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x86_64: 'amd64', aarch64: 'arm64' };

async function accepted(answer: EngineAnswer, what: string): Promise<EngineAnswer> {
  if (answer.status < 300) return answer;
  const text = await textOf(answer.body);
  const message = messageOf(text, 'message') ?? text.trim();
  const isVersion = /client version .* is too old|minimum supported API version/i.test(message);
  throw new TbuildError('PROCESS_FAILED', `Docker refused to ${what} with status ${answer.status}: ${message}`, {
    hint: isVersion
      ? 'Use -o type=docker,dest=image.tar and docker load: this Docker has another version of its API'
      : undefined,
  });
}

/** In bytes. The list of 50,000 images is smaller. */
const LONGEST_ANSWER = 64 * 1024 * 1024;

async function textOf(body: Readable): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > LONGEST_ANSWER) throw new TbuildError('PROCESS_FAILED', 'Docker gave an answer of more than 64 MiB');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function jsonOf(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new TbuildError('PROCESS_FAILED', `Docker answered ${path} with something that is not JSON`, { cause });
  }
}

/** Docker answers with status 200 even when loading fails; the error is in the stream of messages. */
function failureIn(answer: string): string | undefined {
  for (const line of answer.split('\n')) {
    const error = messageOf(line, 'error');
    if (error !== undefined) return error;
  }
  return undefined;
}

function messageOf(json: string, key: string): string | undefined {
  try {
    const message = member(JSON.parse(json), key);
    return typeof message === 'string' ? message : undefined;
  } catch {
    return undefined;
  }
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
