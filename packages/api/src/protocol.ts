export { decodeFrames, encodeFrame } from './frames.ts';
export { ANSWERS, CALL_FLAG } from './messages.ts';
export type { ProgramMessage, SentError } from './messages.ts';
