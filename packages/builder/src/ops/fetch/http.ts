import { runCooperatively } from '@tbuild/concurrency';
import { type HttpOp, resultId, type ResultId } from '@tbuild/graph';
import { hexOf } from '@tbuild/oci';
import { createTreeWriter } from '@tbuild/snapshot';
import type { Op } from '@tbuild/solver';
import { type FetchedFile, fetchUrl } from '@tbuild/sources';
import { keyOf } from '../key-of.ts';
import type { FetchContext } from './fetch-step.ts';

/**
 * Creates the op of an ADD from a URL: a tree with one file. Key and result depend on its content and time, but not on
 * its URL.
 */
export function httpOp(op: HttpOp, context: FetchContext): Op<ResultId> {
  const { filename, checksum } = op;
  return {
    async prepare(_inputs, signal) {
      const { readSecret, report } = context;
      const fetched = await fetchUrl(op.url, context.services, { checksum, readSecret, report, signal });
      const { digest, modified = 0 } = fetched;
      context.sources.add(op, { digest, modified: fetched.modified });
      const key = keyOf({ http: { filename, digest, modified } });
      const result = resultId(key);
      const run = async (): Promise<ResultId> => {
        await writeFile(result, filename, fetched, { ...context, signal });
        return result;
      };
      return { key, run, canGive: (given) => given === result };
    },
  };
}

async function writeFile(
  result: ResultId,
  filename: string,
  { digest, modified = 0 }: FetchedFile,
  { services, signal }: FetchContext & { signal: AbortSignal },
): Promise<void> {
  await using active = await services.snapshots.prepare();
  const writer = createTreeWriter({ upper: active.upper, lowers: [], flavour: services.flavour });
  const attributes = { mode: 0o600, uid: 0, gid: 0, mtimeMs: modified };
  await runCooperatively(writer.copy(filename, attributes, services.content.path(digest)), signal);
  writer.finish();
  await active.commit(hexOf(result));
}
