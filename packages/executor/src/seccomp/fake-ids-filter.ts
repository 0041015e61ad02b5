import type { SyscallMachine } from '../syscalls/syscall-program.ts';
import { encode, FIELD, ifEqual, type Instruction, load, ret, RETURN } from './bpf.ts';
import { ARCHITECTURES, INTERFACES } from './default-filter.ts';
import { ABSENT, type CallInterface, ID_CALLS } from './denied-calls.ts';

/**
 * Returns a filter under which every call that changes an owner, a user or groups succeeds and does nothing. It decides only
 * about these; the kernel asks the other filters of a step too.
 */
export function fakeIdsFilter(machine: SyscallMachine): Uint8Array {
  const sections = INTERFACES[machine].flatMap((name) => ifEqual(ARCHITECTURES[name], sectionOf(name)));
  return encode([load(FIELD.architecture), ...sections, ret(RETURN.allow)]);
}

function sectionOf(name: CallInterface): readonly Instruction[] {
  const numbers = Object.values(ID_CALLS).map((calls) => calls[name]);
  return [
    load(FIELD.number),
    // An error of 0 is success, without the call.
    ...numbers.filter((number) => number !== ABSENT).flatMap((number) => ifEqual(number, [ret(RETURN.error(0))])),
    ret(RETURN.allow),
  ];
}
