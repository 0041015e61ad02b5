/** What proves to a registry who asks. */
export type Credential =
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  /** An OAuth2 refresh token, to be changed for access tokens at the token server. */
  | { readonly kind: 'identity-token'; readonly token: string }
  /** An access token, sent as it is. */
  | { readonly kind: 'registry-token'; readonly token: string };

/**
 * Finds the credential for a repository of a registry, e.g. `docker.io` and `library/nginx`; undefined
 * means to ask anonymously. Called only when a registry demands one.
 * @throws TbuildError UNAUTHORIZED when one is configured but cannot be had.
 */
export type CredentialSource = (registry: string, repository: string) => Promise<Credential | undefined>;

/** The `Authorization` header of a user and password. */
export function basicAuthorization({ username, password }: Extract<Credential, { kind: 'password' }>): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}
