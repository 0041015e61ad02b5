/** Identifies the user to a registry. */
export type Credential = (
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  /** An OAuth2 refresh token, which the token server exchanges for access tokens. */
  | { readonly kind: 'identity-token'; readonly token: string }
  /** An access token, sent unchanged. */
  | { readonly kind: 'registry-token'; readonly token: string }
) & {
  /** Where it is kept, in words: a file, or a credential helper. */
  readonly from?: string;
};

/**
 * Finds the credential for a repository of a registry, e.g. `docker.io` and `library/nginx`. Undefined means anonymous
 * access. Called only if the registry requires a credential.
 * @throws TbuildError UNAUTHORIZED if a configured credential cannot be read.
 */
export type CredentialSource = (registry: string, repository: string) => Promise<Credential | undefined>;

/** Returns the `Authorization` header of a user and password. */
export function basicAuthorization({ username, password }: Extract<Credential, { kind: 'password' }>): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}
