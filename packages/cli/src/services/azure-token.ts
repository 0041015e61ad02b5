import { createHttpHeaders, type HttpClient } from '@azure/core-rest-pipeline';
import { DefaultAzureCredential } from '@azure/identity';
import type { WebClient } from '@tbuild/registry';
import type { Environment } from '../config/environment.ts';
import { sendWhole } from './send-whole.ts';

const SCOPE = 'https://storage.azure.com/.default';

/** Returns a function that gets a token for Azure's storage, and keeps it until it expires. */
export function azureTokenSource(web: Pick<WebClient, 'send'>, { variables }: Environment): () => Promise<string> {
  const httpClient: HttpClient = {
    async sendRequest(request) {
      const headers = request.headers.toJSON();
      const answer = await sendWhole(web, { ...request, url: new URL(request.url), headers });
      const { status, body } = answer;
      return { request, status, headers: createHttpHeaders(answer.headers), bodyAsText: body.toString() };
    },
  };
  // Only Azure's public clouds know which authorities there are.
  const disableInstanceDiscovery = (variables.AZURE_AUTHORITY_HOST ?? '') !== '';
  const credential = new DefaultAzureCredential({ httpClient, disableInstanceDiscovery });
  return async () => (await credential.getToken(SCOPE)).token;
}
