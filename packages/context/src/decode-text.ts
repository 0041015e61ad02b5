import { TbuildError } from '@tbuild/errors';

/**
 * Decodes a text file.
 *
 * @throws TbuildError CONTEXT for UTF-16, which some Windows programs write; `what` begins the message.
 */
export function decodeText(bytes: Buffer, what: string): string {
  if (!isUtf16(bytes)) return bytes.toString();
  throw new TbuildError('CONTEXT', `${what} is encoded as UTF-16, expected UTF-8`, {
    hint: 'Save it as UTF-8, for example with: iconv -f UTF-16 -t UTF-8',
  });
}

/** With a byte order mark, or with a first character of ASCII. */
function isUtf16([first, second]: Buffer): boolean {
  return (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff) || first === 0 || second === 0;
}
