import { TbuildError } from '@tbuild/errors';

/** A binary file has a null byte here. */
const BEGINNING = 8000;

/**
 * Decodes a text file.
 *
 * @throws TbuildError CONTEXT for UTF-16, which some Windows programs write, and for bytes that are no text; `what`
 * begins the message.
 */
export function decodeText(bytes: Buffer, what: string): string {
  if (!isUtf16(bytes)) {
    if (!bytes.subarray(0, BEGINNING).includes(0)) return bytes.toString();
    throw new TbuildError('CONTEXT', `${what} is a binary file, expected text`);
  }
  throw new TbuildError('CONTEXT', `${what} is encoded as UTF-16, expected UTF-8`, {
    hint: 'Save it as UTF-8, for example with: iconv -f UTF-16 -t UTF-8',
  });
}

/** With a byte order mark, or with a first character of ASCII. */
function isUtf16([first, second]: Buffer): boolean {
  return (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff) || first === 0 || second === 0;
}
