import { createReadStream } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';

const BATCH = '.git/info/lfs/objects/batch';
const OBJECT = /^\/([^/]+)\/lfs-object\/([0-9a-f]{64})$/;

interface Batch {
  readonly objects: readonly { readonly oid: string; readonly size: number }[];
}

/** Returns whether a request is one of Git LFS. */
export function isLfs({ url = '' }: IncomingMessage): boolean {
  return url.endsWith(BATCH) || OBJECT.test(url);
}

/** Answers the batch API of Git LFS for downloads, with the objects of the working copies. */
export async function serveLfs(directory: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { url = '', headers } = request;
  const [, repository = '', oid = ''] = OBJECT.exec(url) ?? [];
  if (oid !== '') {
    const path = join(directory, 'work', repository, '.git/lfs/objects', oid.slice(0, 2), oid.slice(2, 4), oid);
    createReadStream(path).pipe(response);
    return;
  }
  const { objects } = (await json(request)) as Batch;
  const base = `http://${headers.host}${url.slice(0, -BATCH.length)}/lfs-object`;
  const found = objects.map((one) => ({ ...one, actions: { download: { href: `${base}/${one.oid}` } } }));
  response.writeHead(200, { 'content-type': 'application/vnd.git-lfs+json' });
  response.end(JSON.stringify({ transfer: 'basic', objects: found }));
}
