/** A member of a test archive, with any content, valid or hostile. */
export interface NewMember {
  readonly name: string;
  readonly type?: 'file' | 'link' | 'symlink' | 'directory';
  readonly linkname?: string;
  readonly mode?: number;
  readonly data?: string | Uint8Array;
  readonly pax?: Readonly<Record<string, string>>;
}

const flags = { file: '0', link: '1', symlink: '2', directory: '5' } as const;

/** Writes a ustar archive with exactly these members, unchecked. */
export function tarOf(members: readonly NewMember[]): Buffer {
  const blocks = members.flatMap((member) => [...paxBlocks(member), ...blocksOf(member, flags[member.type ?? 'file'])]);
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

function paxBlocks({ pax = {} }: NewMember): Uint8Array[] {
  const records = Object.entries(pax).map(([key, value]) => paxRecord(`${key}=${value}\n`));
  return records.length === 0 ? [] : blocksOf({ name: 'PaxHeader', data: records.join('') }, 'x');
}

function paxRecord(text: string): string {
  const length = Buffer.byteLength(text) + 1;
  const total = length + String(length + String(length).length).length;
  return `${total} ${text}`;
}

function blocksOf({ name, linkname = '', mode = 0o644, data = '' }: NewMember, flag: string): Uint8Array[] {
  const content = typeof data === 'string' ? Buffer.from(data) : data;
  const header = Buffer.alloc(512);
  const octal = (value: number, offset: number, length: number) =>
    header.write(value.toString(8).padStart(length - 1, '0'), offset);
  header.write(name, 0, 100);
  octal(mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(content.length, 124, 12);
  octal(1_700_000_000, 136, 12);
  header.write(`        ${flag}`, 148);
  header.write(linkname, 157, 100);
  header.write('ustar\u000000', 257, 'latin1');
  octal(
    header.reduce((sum, byte) => sum + byte, 0),
    148,
    8,
  );
  return [header, content, Buffer.alloc((512 - (content.length % 512)) % 512)];
}
