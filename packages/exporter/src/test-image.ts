import { createMemoryStore, fromBytes, type ContentStore } from '@tbuild/content';
import { digestOf, layerMediaType, parseReference, type Image, type Layer, type Platform } from '@tbuild/oci';
import { pack } from 'tar-stream';
import type { Exportable, ExportedImage } from './exporter.ts';

/** Returns a result for tests: images of two layers, the lower one gzipped as from a registry, in a memory store. */
export async function testResult(
  names: readonly string[],
  platforms: readonly Platform[] = [amd64],
): Promise<Exportable> {
  const content = createMemoryStore();
  const images: ExportedImage[] = [];
  for (const platform of platforms) images.push({ image: await testImage(content, platform), openRootfs: noRootfs });
  return { images, content, names: names.map(parseReference) };
}

export const amd64: Platform = { os: 'linux', architecture: 'amd64' };
export const arm64: Platform = { os: 'linux', architecture: 'arm64' };

/** Reports nothing. */
export const noReport = (): void => {};

export const noSignal: AbortSignal = new AbortController().signal;

async function testImage(content: ContentStore, platform: Platform): Promise<Image> {
  const { gzipSync } = await import('node:zlib');
  const base = await layerOf(
    content,
    [{ name: 'etc/' }, { name: 'etc/arch', content: platform.architecture }],
    gzipSync,
  );
  const top = await layerOf(content, [{ name: 'hello', content: 'hello\n'.repeat(1000) }]);
  return {
    platform,
    config: { Cmd: ['/hello'], Env: ['PATH=/bin'] },
    layers: [base, top],
    history: [{ created_by: 'base' }, { created_by: 'COPY hello / # buildkit' }],
    created: '2024-01-02T03:04:05Z',
  };
}

interface Member {
  readonly name: string;
  readonly content?: string;
}

async function layerOf(
  content: ContentStore,
  members: readonly Member[],
  compress?: (bytes: Buffer) => Buffer,
): Promise<Layer> {
  const archive = pack();
  for (const { name, content: text } of members) {
    archive.entry({ name, mtime: new Date(0), type: text === undefined ? 'directory' : 'file' }, text ?? '');
  }
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) if (chunk instanceof Uint8Array) chunks.push(Buffer.from(chunk));
  const bytes = Buffer.concat(chunks);
  const stored = await content.write(fromBytes(compress ? compress(bytes) : bytes));
  return {
    diffId: digestOf(bytes),
    descriptor: { mediaType: layerMediaType(compress ? 'gzip' : 'uncompressed'), ...stored },
  };
}

async function noRootfs(): Promise<readonly string[]> {
  throw new Error('This result has no tree');
}
