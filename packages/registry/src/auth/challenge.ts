/** An authentication scheme that a server offers (RFC 9110, "WWW-Authenticate"). */
export interface Challenge {
  /** In lower case, e.g. `bearer`. */
  readonly scheme: string;
  /** Names in lower case. */
  readonly parameters: Readonly<Record<string, string | undefined>>;
}

const SCHEME = /[\s,]*([\w!#$%&'*+.^`|~-]+)(?:\s+|$|(?=,))/y;
const PARAMETER = /[\s,]*([\w!#$%&'*+.^`|~-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))/y;

/** Parses the challenges in a `WWW-Authenticate` header, up to the first invalid one. */
export function parseChallenges(header: string | undefined): readonly Challenge[] {
  const challenges: Challenge[] = [];
  const text = header ?? '';
  let at = 0;
  for (;;) {
    SCHEME.lastIndex = at;
    const scheme = SCHEME.exec(text)?.[1];
    if (scheme === undefined) return challenges;
    at = SCHEME.lastIndex;
    const parameters: Record<string, string> = {};
    for (let match = exec(PARAMETER, text, at); match !== null; match = exec(PARAMETER, text, at)) {
      at = PARAMETER.lastIndex;
      const [, name = '', quoted, plain = ''] = match;
      parameters[name.toLowerCase()] = quoted === undefined ? plain : quoted.replace(/\\(.)/g, '$1');
    }
    challenges.push({ scheme: scheme.toLowerCase(), parameters });
  }
}

function exec(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}
