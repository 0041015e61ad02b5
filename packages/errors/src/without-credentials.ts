/** Returns a text with `scheme://user:password@host` replaced by `scheme://host`. */
export function withoutCredentials(text: string): string {
  return text.replace(USER_INFO, '$1');
}

/** As in the URL standard: up to the last @ before the path. */
const USER_INFO = /(:\/\/)[^\s/?#]*@/g;
