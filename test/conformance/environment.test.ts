import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadBaseImage } from '../support/base-images.ts';
import { docker } from '../support/docker.ts';
import { isolations } from '../support/isolations.ts';
import { needs } from '../support/requirements.ts';
import { scratchDirectory } from '../support/scratch.ts';
import { sharedService } from '../support/services.ts';
import { buildContext, good, writeFiles } from '../support/tbuild.ts';

/** Commands that print what a step sees of its environment, by name. */
const probes: Readonly<Record<string, string>> = {
  credentials: 'grep -E "^(Cap|NoNewPrivs|Seccomp:|Uid|Gid|Groups|Umask|Sig(Blk|Ign|Cgt))" /proc/self/status; id',
  session: 'grep -E "^NS(pid|sid):" /proc/1/status; cat /proc/1/oom_score_adj; hostname; umask; pwd; env | sort',
  terminal:
    'tty; for fd in 0 1 2; do test -t $fd && echo $fd; done; stty size; echo "$COLUMNS$LINES$TERM"; cat | wc -c',
  devices: `find /dev -type l -exec sh -c 'echo {} "$(readlink {})"' \\; | sort; find /dev -type c ! -path '/dev/pts/*' -exec stat -c '%n %a %u:%g %t:%T' {} \\; | sort; stat -c '%n %a %u:%g' /dev /dev/*/`,
  mounts: `awk '$5 ~ "^/(proc|sys|dev/)" { print $5, $6 }' /proc/self/mountinfo | grep -vE '^/(sys/fs/cgroup|dev/(null|zero|full|u?random|tty)|proc/(keys|timer_list|sched_debug|latency_stats|kcore)) ' | sed 's/,relatime//' | sort`,
  files:
    'cat /etc/hosts; cd /etc; for f in hosts resolv.conf; do echo x >> $f; touch $f; rm $f; done; ls -ln hosts resolv.conf | cut -c1-15',
  masked:
    'for p in acpi keys timer_list kcore scsi; do wc -c < /proc/$p; ls /proc/$p; done; ls /sys/firmware; head -c 1 /proc/key-users > /dev/null && echo readable',
  readonly:
    'for p in sys/kernel/hostname sysrq-trigger irq/0/x bus/x; do echo x > /proc/$p; done; mkdir /sys/x /sys/fs/cgroup/memory/x; echo 1 > /sys/kernel/x',
  refused:
    'mount -t tmpfs none /tmp; umount /proc; hostname x; unshare -m true; unshare -U true; mknod /tmp/b b 7 0; head -c 1 /tmp/b; chroot / true && echo chroot; nice -n -5 true; chown 1 /tmp/b; date -s @0; swapoff -a; losetup -f; dmesg; sysctl -w kernel.hostname=x; ionice -c 1 true; ulimit -Hn 9999999',
};

const script = Object.entries(probes)
  .map(([name, commands]) => `( exec 2>&1 < /dev/stdin; ${commands} ) > /probed/${name}`)
  .join('\n');
const context = () =>
  writeFiles({
    'probe.sh': `mkdir /probed\n${script}\ntrue\n`,
    Dockerfile: 'FROM busybox\nCOPY probe.sh /\nRUN sh /probe.sh\nFROM scratch\nCOPY --from=0 /probed /\n',
  });

describe('a step sees the same environment as in a build by Docker:', needs('docker', 'pasta'), () => {
  const expected = scratchDirectory('docker');
  beforeAll(async () => {
    const host = await sharedService('docker');
    await loadBaseImage('busybox', host);
    await docker(host, ['buildx', 'build', '--quiet', '--output', expected, context()]);
  });

  describe.each(isolations.filter((isolation) => isolation !== 'chroot'))('isolation %s:', (isolation) => {
    const seen = scratchDirectory('seen');
    beforeAll(async () => {
      good(await buildContext(context(), { args: ['--isolation', isolation, '--network', 'pasta', '--output', seen] }));
    });

    test.each(Object.keys(probes))('%s', (name) => {
      const read = (directory: string) => readFileSync(join(directory, name), 'utf8').split('\n');
      expect(read(seen)).toEqual(read(expected));
    });
  });
});
