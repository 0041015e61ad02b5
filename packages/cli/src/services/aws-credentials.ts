import { defaultProvider } from '@aws-sdk/credential-provider-node';
import type { S3Credentials } from '@tbuild/object-store';
import type { WebClient } from '@tbuild/registry';
import { sendWhole } from './send-whole.ts';

/** Returns a function that finds credentials as the tools of AWS do, and renews them when they expire. */
export function amazonCredentialSource(web: Pick<WebClient, 'send'>): () => Promise<S3Credentials> {
  const requestHandler = { handle: async (request: AmazonRequest) => ({ response: await answerTo(request, web) }) };
  return defaultProvider({ clientConfig: { requestHandler } });
}

/** A request of Amazon's library. */
interface AmazonRequest {
  readonly method: string;
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

async function answerTo(
  { protocol, hostname, port, path, query = {}, ...request }: AmazonRequest,
  web: Pick<WebClient, 'send'>,
) {
  const url = new URL(`${protocol}//${hostname}${port === undefined ? '' : `:${port}`}${path}`);
  for (const [name, value] of Object.entries(query)) url.searchParams.append(name, value);
  const { status, ...answer } = await sendWhole(web, { ...request, url });
  return { statusCode: status, ...answer };
}
