import { existsSync, writeFileSync } from 'node:fs';
import { runChecked } from './run-process.ts';

const directory = '/proc/sys/fs/binfmt_misc';
const emulator = '/usr/bin/qemu-aarch64-static';

/** Registers qemu for arm64 programs until it is disposed; needs root. Keeps an existing registration. */
export async function registerArm64(): Promise<Disposable> {
  await mountBinfmt();
  const entry = `${directory}/qemu-aarch64`;
  if (existsSync(entry)) return { [Symbol.dispose]() {} };
  const magic = String.raw`\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00`;
  const mask = String.raw`\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff`;
  writeFileSync(`${directory}/register`, `:qemu-aarch64:M::${magic}:${mask}:${emulator}:POF`);
  return { [Symbol.dispose]: () => writeFileSync(entry, '-1') };
}

async function mountBinfmt(): Promise<void> {
  if (!existsSync(`${directory}/register`)) await runChecked('mount', ['-t', 'binfmt_misc', 'binfmt_misc', directory]);
}
