/** Returns a text with `scheme://user:password@host` made `scheme://host`: what may be shown and kept of a URL. */
export function withoutCredentials(text: string): string {
  return text.replace(USER_INFO, '$1');
}

/** As URL reads it: up to the last @ before the path. */
const USER_INFO = /(:\/\/)[^\s/?#]*@/g;
