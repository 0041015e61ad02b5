import { closeSync, constants, openSync } from 'node:fs';
import { libraryCall, systemError } from '../libc.ts';

/** Both ends of a pseudoterminal, as file descriptors. The caller closes `master`, directly or by a stream. */
export interface Pseudoterminal {
  readonly master: number;
  /** The end for the program. */
  readonly slave: number;
  resize(size: TerminalSize): void;
  closeSlave(): void;
}

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

const openMaster = libraryCall('int posix_openpt(int flags)');
const grant = libraryCall('int grantpt(int fd)');
const unlock = libraryCall('int unlockpt(int fd)');
const nameOf = libraryCall('int ptsname_r(int fd, void *name, size_t size)');
const control = libraryCall('int ioctl(int fd, unsigned long request, void *argument)');

const TIOCSWINSZ = 0x5414;
const O_CLOEXEC = 0o2000000;
const LONGEST_NAME = 128;

/** Opens a pseudoterminal. It becomes nobody's controlling terminal. */
export function openPseudoterminal(size: TerminalSize): Pseudoterminal {
  const master = openMaster(constants.O_RDWR | constants.O_NOCTTY | O_CLOEXEC);
  if (master < 0) throw systemError('posix_openpt', '/dev/ptmx');
  const slave = openSlave(master);
  const resize = ({ columns, rows }: TerminalSize): void =>
    void control(master, TIOCSWINSZ, Uint16Array.of(rows, columns, 0, 0));
  resize(size);
  let isOpen = true;
  return {
    master,
    slave,
    resize,
    closeSlave() {
      if (isOpen) closeSync(slave);
      isOpen = false;
    },
  };
}

function openSlave(master: number): number {
  try {
    const name = Buffer.alloc(LONGEST_NAME);
    if (grant(master) < 0 || unlock(master) < 0 || nameOf(master, name, name.length) !== 0)
      throw systemError('ptsname_r', '/dev/ptmx');
    return openSync(name.toString('utf8', 0, name.indexOf(0)), constants.O_RDWR | constants.O_NOCTTY);
  } catch (error) {
    closeSync(master);
    throw error;
  }
}
