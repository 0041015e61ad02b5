import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { builders } from '../../support/builders.ts';
import { buildGood, buildInline, defaultStore, writeFiles } from '../../support/tbuild.ts';

/** System calls by number on this machine, with arguments that would work where they are allowed. */
const calls: Readonly<Record<string, readonly [x64: number, arm64: number, args: string]>> = {
  mount: [165, 40, '$none, $mnt, $tmpfs, 0, 0'],
  umount2: [166, 39, '$proc, 2'],
  pivot_root: [155, 41, '$mnt, $mnt'],
  unshare: [272, 97, '0x10000000'],
  setns: [308, 268, '3, 0'],
  add_key: [248, 217, '$user, $name, $name, 1, -2'],
  keyctl: [250, 219, '1, 0'],
  bpf: [321, 280, '0, 0, 0'],
  userfaultfd: [323, 282, '0'],
  io_uring_setup: [425, 425, '1, 0'],
  perf_event_open: [298, 241, '0, 0, -1, -1, 0'],
  open_by_handle_at: [304, 265, '-100, 0, 0'],
  kexec_load: [246, 104, '0, 0, 0, 0'],
  init_module: [175, 105, '0, 0, 0'],
  reboot: [169, 142, '0xfee1dead, 672274793, 0'],
  swapon: [167, 224, '$mnt, 0'],
  acct: [163, 89, '0'],
  settimeofday: [164, 170, '0, 0'],
  sethostname: [170, 161, '$name, 1'],
  iopl: [172, 0, '3'],
  fsopen: [430, 430, '$tmpfs, 0'],
  open_tree: [428, 428, '-100, $mnt, 1'],
  mount_setattr: [442, 442, '-100, $mnt, 0, 0, 0'],
};

/** Prints the names of the calls that succeeded. */
function callScript(): string {
  const lines = Object.entries(calls).flatMap(([name, [x64, arm64, args]]) => {
    const number = process.arch === 'arm64' ? arm64 : x64;
    return number === 0 ? [] : [`print "${name}\\n" if syscall(${number}, ${args}) >= 0;`];
  });
  const texts = '($none, $mnt, $tmpfs, $proc, $user, $name) = ("none", "/mnt", "tmpfs", "/proc", "user", "x");';
  return `#!/usr/bin/perl\n${texts}\n${lines.join('\n')}\n`;
}

describe.each(builders)('a hostile step, built by $who', ({ asUser }) => {
  test('is refused the system calls that lead out of containers', async () => {
    const build = await buildGood(
      { Dockerfile: 'FROM debian\nCOPY try.pl /\nRUN perl /try.pl > /allowed\n', 'try.pl': callScript() },
      { asUser, images: ['debian'] },
    );
    expect(build.tree().readText('/allowed')).toBe('');
  });

  test('sees no process, file, environment or descriptor of the machine', async () => {
    const marker = join(writeFiles({ marker: 'x' }), 'marker');
    const tries = [
      `ls ${defaultStore(asUser)} && echo store`,
      `for p in /proc/[0-9]*; do [ -e $p/root${marker} ] && echo root; done`,
      `chroot /proc/1/root ls ${marker} && echo chroot`,
      `cd /proc/self/cwd/../../../../.. && ls .${marker} && echo cwd`,
      'tr "\\0" "\\n" < /proc/1/environ | grep TBUILD_ && echo environ',
      'env | grep -E "TBUILD_|PROBE" && echo env',
      'ls /proc/1/fd | grep -vE "^(0|1|2|3|10|255)$" && echo descriptors',
      'test $(ls -d /proc/[0-9]* | wc -l) -gt 12 && echo processes',
    ];
    const script = tries.map((attempt) => `( ${attempt} ) 2> /dev/null`).join('; ');
    const build = await buildGood(
      { Dockerfile: `FROM busybox\nRUN ( ${script} ) > /seen; true\n` },
      { asUser, env: { PROBE: 'x' } },
    );
    expect(build.tree().readText('/seen')).toBe('');
  });

  test('that closes its output runs on to its end', async () => {
    const build = await buildGood(
      { Dockerfile: 'FROM busybox\nRUN exec > /dev/null 2>&1 <&-; exec 1>&- 2>&-; sleep 0.5; touch /done\n' },
      { asUser },
    );
    expect(build.tree().entries.has('/done')).toBe(true);
  });

  test('may print anything', async () => {
    const build = await buildInline(
      { Dockerfile: 'FROM busybox\nRUN head -c 300000 /dev/urandom; printf "\\033[2J\\007\\n"; exit 3\n' },
      { asUser },
    );
    expect(build.exitCode).toBe(1);
    expect(build.stderr).toContain('exit code: 3');
  });

  test('that floods its output is shown completely', async () => {
    const build = await buildGood(
      { Dockerfile: 'FROM busybox\nRUN seq 1000000 1200000\n' },
      { asUser, args: ['--no-cache'] },
    );
    const shown = build.stderr.match(/(?<=^#\d+ [\d.]+ )1\d{6}$/gm);
    expect(shown).toHaveLength(200_001);
    expect(new Set(shown).size).toBe(200_001);
  });

  test('that floods its output does not grow the memory of tbuild', async () => {
    let peak = 0;
    const build = await buildInline(
      { Dockerfile: 'FROM busybox\nRUN yes 0123456789012345678901234567890123456789 | head -c 100000000\n' },
      {
        asUser,
        args: ['--quiet'],
        onStart: (child) => {
          const timer = setInterval(() => void (peak = Math.max(peak, residentPeak(child.pid ?? 0))), 50);
          child.on('close', () => clearInterval(timer));
        },
      },
    );
    expect(build.exitCode).toBe(0);
    expect(peak).toBeLessThan(400_000);
  });

  test('that forks endlessly is stopped by its process limit', async () => {
    const build = await buildInline(
      { Dockerfile: 'FROM busybox\nUSER 4711\nRUN i=0; while [ $i -lt 500 ]; do sleep 20 & i=$((i+1)); done\n' },
      { asUser, args: ['--ulimit', 'nproc=50'] },
    );
    expect(build.exitCode).toBe(1);
    expect(build.stderr).toContain('fork');
  });
});

/** Returns the peak resident set of a process, in KiB. */
function residentPeak(pid: number): number {
  try {
    return Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
