import { join } from 'node:path';
import { TbuildError } from '@tbuild/errors';
import { canRunPlatform } from '@tbuild/executor';
import { formatPlatform, samePlatform, type Platform } from '@tbuild/oci';
import type { Worker } from '../worker.ts';

type Machine = Pick<Worker, 'root' | 'platform'>;

/** What was found out about each platform, for as long as the worker lives. */
const answers = new WeakMap<Machine, Map<string, Promise<boolean>>>();

/**
 * Makes sure that programs of the platform can run here, natively or through a registered handler: the kernel's own
 * answer would come out of the middle of a step and name no reason.
 * @throws TbuildError UNSUPPORTED with what to install.
 */
export async function requirePlatform(platform: Platform, worker: Machine): Promise<void> {
  if (samePlatform(platform, worker.platform)) return;
  const known = answers.get(worker) ?? new Map<string, Promise<boolean>>();
  answers.set(worker, known);
  const name = formatPlatform(platform);
  const answer =
    known.get(name) ?? canRunPlatform(platform, { directory: join(worker.root, 'run'), host: worker.platform });
  known.set(name, answer);
  if (await answer) return;
  throw new TbuildError(
    'UNSUPPORTED',
    `Programs for ${name} cannot run on this ${formatPlatform(worker.platform)} machine: no emulator is registered for them`,
    {
      hint:
        `Install qemu-user-static and register it with binfmt_misc (Debian: apt-get install qemu-user-binfmt; with Docker: ` +
        `docker run --privileged --rm tonistiigi/binfmt --install ${platform.architecture}), or let the stage run natively: FROM --platform=$BUILDPLATFORM`,
    },
  );
}
