import { createHttpHeaders, type HttpClient } from '@azure/core-rest-pipeline';
import { DefaultAzureCredential } from '@azure/identity';
import type { WebClient } from '@tbuild/registry';
import type { Environment } from '../config/environment.ts';

const SCOPE = 'https://storage.azure.com/.default';

/** Returns a function that gets a token for Azure's storage, and keeps it until it expires. */
export function azureTokenSource(web: Pick<WebClient, 'send'>, { variables }: Environment): () => Promise<string> {
  const credential = new DefaultAzureCredential({
    httpClient: throughOurClient(web),
    // Only Azure's public clouds know which authorities there are.
    disableInstanceDiscovery: (variables.AZURE_AUTHORITY_HOST ?? '') !== '',
  });
  return async () => (await credential.getToken(SCOPE)).token;
}

/** Azure's own client would not know the added certificates. */
function throughOurClient(web: Pick<WebClient, 'send'>): HttpClient {
  return {
    async sendRequest(request) {
      const { method, url, headers, body, timeout } = request;
      // Our client does not decompress.
      headers.delete('accept-encoding');
      const answer = await web.send({
        // Tokens are asked for with GET and POST.
        method: method === 'GET' ? 'GET' : 'POST',
        url: new URL(url),
        headers: headers.toJSON(),
        body: typeof body === 'string' ? Buffer.from(body) : undefined,
        signal: timeout > 0 ? AbortSignal.timeout(timeout) : undefined,
      });
      const chunks: Uint8Array[] = [];
      for await (const chunk of answer.body) chunks.push(chunk);
      const given = Object.entries(answer.headers).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, value]],
      );
      return {
        request,
        status: answer.status,
        headers: createHttpHeaders(Object.fromEntries(given)),
        bodyAsText: Buffer.concat(chunks).toString(),
      };
    },
  };
}
