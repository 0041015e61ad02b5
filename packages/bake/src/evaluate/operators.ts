import { TbuildError } from '@tbuild/errors';
import { toBool, toNumber } from '../value/convert.ts';
import type { Num } from '../value/number.ts';
import { isEqual, type Value } from '../value/value.ts';

/** Applies an operator to a value. @throws TbuildError BAKE_FILE */
export function unary(operator: '-' | '!', value: Value): Value {
  return operator === '!' ? !toBool(notNull(value)) : toNumber(notNull(value)).negate();
}

type Operation = (left: Value, right: () => Value) => Value;

const onNumbers =
  (run: (a: Num, b: Num) => Value): Operation =>
  (left, right) =>
    run(toNumber(notNull(left)), toNumber(notNull(right())));

const operations: Readonly<Record<string, Operation>> = {
  '+': onNumbers((a, b) => a.add(b)),
  '-': onNumbers((a, b) => a.subtract(b)),
  '*': onNumbers((a, b) => a.multiply(b)),
  '/': onNumbers((a, b) => a.divide(b)),
  '%': onNumbers((a, b) => a.modulo(b)),
  '<': onNumbers((a, b) => a.compare(b) < 0),
  '<=': onNumbers((a, b) => a.compare(b) <= 0),
  '>': onNumbers((a, b) => a.compare(b) > 0),
  '>=': onNumbers((a, b) => a.compare(b) >= 0),
  '==': (left, right) => isEqual(left, right()),
  '!=': (left, right) => !isEqual(left, right()),
  '&&': (left, right) => toBool(notNull(left)) && toBool(notNull(right())),
  '||': (left, right) => toBool(notNull(left)) || toBool(notNull(right())),
};

/** Applies an operator to two values, the second of which may not be needed. @throws TbuildError BAKE_FILE */
export function binary(operator: string, left: Value, right: () => Value): Value {
  const operation = operations[operator];
  if (operation === undefined) throw new Error(`The grammar has no operator ${operator}`);
  return operation(left, right);
}

function notNull(value: Value): Value {
  if (value === null) throw new TbuildError('BAKE_FILE', 'an operand must not be null');
  return value;
}
