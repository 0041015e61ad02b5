/** What a source policy decides about, as BuildKit names sources: `docker-image://…`, `https://…`, `git://…`. */
export interface PolicySource {
  readonly identifier: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** The sources that a rule is about. */
export interface PolicySelector {
  /** With `*` and `?`, exact, or a regular expression. */
  readonly identifier: string;
  readonly matchType: 'WILDCARD' | 'EXACT' | 'REGEX';
  readonly constraints: readonly PolicyConstraint[];
}

export interface PolicyConstraint {
  readonly key: string;
  readonly value: string;
  readonly condition: 'EQUAL' | 'NOTEQUAL' | 'MATCHES';
}

/** A rule of a policy. */
export interface PolicyRule {
  readonly action: 'ALLOW' | 'DENY' | 'CONVERT';
  readonly selector: PolicySelector;
  /** What CONVERT puts in its place; `$1` and `${1}` stand for what the selector matches. */
  readonly updates?: Partial<PolicySource>;
}

/** BuildKit's rules, in order. */
export type SourcePolicy = readonly PolicyRule[];

/** After so many conversions two rules convert into each other. */
const MOST_CONVERSIONS = 20;

/**
 * Applies a policy as BuildKit does: a conversion starts again from the first rule, and the last ALLOW or DENY that
 * matches decides. Returns what to read instead, or undefined if the source must not be read.
 * @throws RangeError if the conversions never end.
 */
export function applyPolicy(policy: SourcePolicy, source: PolicySource): PolicySource | undefined {
  let current = source;
  for (let count = 0; count <= MOST_CONVERSIONS; count++) {
    const { converted, isDenied } = applyOnce(policy, current);
    if (converted === undefined) return isDenied ? undefined : current;
    current = converted;
  }
  throw new RangeError(`Source ${JSON.stringify(source.identifier)} is converted without an end`);
}

function applyOnce(
  policy: SourcePolicy,
  source: PolicySource,
): { readonly converted?: PolicySource; readonly isDenied: boolean } {
  let isDenied = false;
  for (const { action, selector, updates = {} } of policy) {
    const groups = matched(selector, source);
    if (groups === undefined) continue;
    if (action !== 'CONVERT') {
      isDenied = action === 'DENY';
      continue;
    }
    const identifier = updates.identifier === undefined ? source.identifier : filled(updates.identifier, groups);
    const attributes = { ...source.attributes, ...updates.attributes };
    const changes =
      identifier !== source.identifier ||
      Object.entries(attributes).some(([name, value]) => source.attributes[name] !== value);
    if (changes) return { converted: { identifier, attributes }, isDenied };
  }
  return { isDenied };
}

/** Returns the whole match and its groups; undefined if the selector is not about the source. */
function matched(selector: PolicySelector, { identifier, attributes }: PolicySource): readonly string[] | undefined {
  if (!selector.constraints.every((constraint) => holds(constraint, attributes))) return undefined;
  if (selector.matchType === 'EXACT') return selector.identifier === identifier ? [identifier] : undefined;
  const isRegex = selector.matchType === 'REGEX';
  const pattern = isRegex ? new RegExp(selector.identifier) : wildcard(selector.identifier);
  return pattern.exec(identifier)?.map((group) => group ?? '');
}

function holds({ key, value, condition }: PolicyConstraint, attributes: Readonly<Record<string, string>>): boolean {
  const found = Object.hasOwn(attributes, key) ? (attributes[key] ?? '') : '';
  if (condition === 'EQUAL') return found === value;
  return condition === 'NOTEQUAL' ? found !== value : new RegExp(value).test(found);
}

/** A star matches everything, also slashes. */
function wildcard(text: string): RegExp {
  const source = text.replace(/\\.|[*?.+^${}()|[\]\\]/g, (part) => {
    if (part === '*') return '(.*?)';
    if (part === '?') return '(.)';
    return part.length > 1 ? `\\${part.slice(1)}` : `\\${part}`;
  });
  return new RegExp(`^${source}$`, 's');
}

/** Puts what was matched into a text. `$0` is the whole. */
function filled(text: string, groups: readonly string[]): string {
  return text.replace(/\$(?:(\d+)|\{(\d+)\})/g, (_, bare?: string, braced?: string) => {
    return groups[Number(bare ?? braced)] ?? '';
  });
}
