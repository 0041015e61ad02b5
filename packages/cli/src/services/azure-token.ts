import { DefaultAzureCredential } from '@azure/identity';

const SCOPE = 'https://storage.azure.com/.default';

/** Returns a function that gets a token for Azure's storage, and keeps it until it expires. */
export function azureTokenSource(): () => Promise<string> {
  const credential = new DefaultAzureCredential();
  return async () => (await credential.getToken(SCOPE)).token;
}
