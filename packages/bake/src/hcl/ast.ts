import type { Place } from '../source.ts';
import type { Value } from '../value/value.ts';

/** An expression and its place. HCL and JSON files give the same expressions. */
export type Expression = { readonly place: Place } & ExpressionKind;

type ExpressionKind =
  | { readonly kind: 'literal'; readonly value: Value }
  /** Parts that are joined to a string. */
  | { readonly kind: 'template'; readonly parts: readonly Expression[] }
  | { readonly kind: 'tuple'; readonly items: readonly Expression[] }
  | { readonly kind: 'object'; readonly fields: readonly ObjectField[] }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'index'; readonly of: Expression; readonly key: Expression }
  /** `of[*].each`: `each` is evaluated for every item, which is its variable {@link EACH}. */
  | { readonly kind: 'splat'; readonly of: Expression; readonly each: Expression }
  | {
      readonly kind: 'call';
      readonly name: string;
      readonly arguments: readonly Expression[];
      /** Whether the last argument is a list of arguments. */
      readonly expand: boolean;
    }
  | ({ readonly kind: 'for' } & ForParts)
  | { readonly kind: 'unary'; readonly operator: '-' | '!'; readonly of: Expression }
  | { readonly kind: 'binary'; readonly operator: string; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'conditional'; readonly condition: Expression; readonly yes: Expression; readonly no: Expression };

export interface ObjectField {
  readonly key: Expression;
  readonly value: Expression;
}

export interface ForParts {
  readonly keyName?: string;
  readonly valueName: string;
  readonly of: Expression;
  /** Makes an object of the results. */
  readonly key?: Expression;
  readonly value: Expression;
  readonly condition?: Expression;
  /** Whether the values of equal keys become lists. */
  readonly grouped: boolean;
  /** Whether the results are joined to a string, as in a template. */
  readonly joined?: boolean;
}

/** The variable that holds the item of a splat. No identifier has this form. */
export const EACH = '*';

export interface Attribute {
  readonly name: string;
  readonly expression: Expression;
  /** The place of the name. */
  readonly place: Place;
}

export interface Block {
  readonly type: string;
  readonly labels: readonly string[];
  readonly body: Body;
  /** The place of the type and the labels. */
  readonly place: Place;
}

export interface Body {
  readonly attributes: readonly Attribute[];
  readonly blocks: readonly Block[];
}
