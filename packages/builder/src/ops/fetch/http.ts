import { runCooperatively } from '@tbuild/concurrency';
import { type HttpOp, resultId, type ResultId } from '@tbuild/graph';
import { hexOf } from '@tbuild/oci';
import { createTreeWriter } from '@tbuild/snapshot';
import type { Op } from '@tbuild/solver';
import { fetchUrl, type Web } from '@tbuild/sources';
import { keyOf } from '../key-of.ts';
import type { Trees } from '../trees.ts';
import type { Fetching } from './fetch-step.ts';

/** What an ADD from a URL uses. */
export type HttpPorts = Web & Pick<Trees, 'snapshots' | 'flavour' | 'unpackLimits'>;

/**
 * Creates the op of an ADD from a URL: a tree with one file. Key and result depend on its content and time, but not on
 * its URL.
 */
export function httpOp(op: HttpOp, { readSecret, report, sources }: Fetching, ports: HttpPorts): Op<ResultId> {
  const { filename, checksum } = op;
  return {
    async prepare(_inputs, signal) {
      const fetched = await fetchUrl(op.url, ports, { checksum, readSecret, report, signal });
      const { digest, modified = 0 } = fetched;
      sources.add(op, { digest, modified: fetched.modified });
      const key = keyOf({ http: { filename, digest, modified } });
      const result = resultId(key);
      const run = async (): Promise<ResultId> => {
        await using active = await ports.snapshots.prepare();
        const writer = createTreeWriter({ upper: active.upper, lowers: [], flavour: ports.flavour });
        const attributes = { mode: 0o600, uid: 0, gid: 0, mtimeMs: modified };
        await runCooperatively(writer.copy(filename, attributes, ports.content.path(digest)), signal);
        writer.finish();
        await active.commit(hexOf(result));
        return result;
      };
      return { key, run, canGive: (given) => given === result };
    },
  };
}
