const NAMES = new Set(
  (
    'ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT STOP SYS TERM TRAP ' +
    'TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ RTMIN RTMAX'
  ).split(' '),
);

/** Returns whether Docker accepts a signal: any number but 0, or Linux's name with or without `SIG`. */
export function isSignal(text: string): boolean {
  if (/^[+-]?\d+$/.test(text)) return Number(text) !== 0;
  const name = text.toUpperCase().replace(/^SIG/, '');
  const realTime = /^RT(MIN\+|MAX-)(\d+)$/.exec(name);
  if (realTime === null) return NAMES.has(name);
  const [, side, offset = ''] = realTime;
  const limit = side === 'MIN+' ? 15 : 14;
  return String(Number(offset)) === offset && Number(offset) >= 1 && Number(offset) <= limit;
}
