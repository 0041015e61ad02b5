/** A type constraint, as a variable or `convert` has. */
export type Type =
  | { readonly kind: 'any' | 'string' | 'number' | 'bool' }
  | { readonly kind: 'list' | 'set' | 'map'; readonly of: Type }
  | { readonly kind: 'tuple'; readonly items: readonly Type[] }
  | { readonly kind: 'object'; readonly fields: ReadonlyMap<string, FieldType> };

export interface FieldType {
  readonly type: Type;
  readonly isOptional: boolean;
}

/** Returns a type as it is written. */
export function formatType(type: Type): string {
  switch (type.kind) {
    case 'list':
    case 'set':
    case 'map':
      return `${type.kind}(${formatType(type.of)})`;
    case 'tuple':
      return `tuple([${type.items.map(formatType).join(', ')}])`;
    case 'object':
      return `object({${[...type.fields].map(([name, { type: field, isOptional }]) => `${name}=${isOptional ? `optional(${formatType(field)})` : formatType(field)}`).join(', ')}})`;
    default:
      return type.kind;
  }
}
