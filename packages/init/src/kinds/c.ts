import { BLANK, line, ORDINARY_USER, type Template } from '../line.ts';
import type { Project } from '../project.ts';

/** A C program: compiled statically, and nothing else is the image. */
export function cTemplate({ has, list, name, read }: Project): Template {
  const makefile = ['Makefile', 'makefile', 'GNUmakefile'].find(has);
  const program = (makefile === undefined ? undefined : firstTarget(read(makefile))) ?? nameOf(name);
  const sources = list('src').some((file) => file.endsWith('.c')) ? 'src/*.c' : '*.c';
  const compile =
    makefile === undefined ? `cc -O2 -static -o ${program} ${sources}` : `make CFLAGS="-O2 -static" ${program}`;
  return {
    lines: [
      line('FROM gcc:15 AS build', 'The compiler stays in this stage.'),
      line('WORKDIR /src'),
      line('COPY . .'),
      line(`RUN ${compile}`, 'A static program needs no library, so the image needs no base.'),
      line(`RUN strip ${program}`),
      BLANK,
      line('FROM scratch'),
      line(`COPY --from=build /src/${program} /${program}`),
      ORDINARY_USER,
      line(`ENTRYPOINT ["/${program}"]`),
    ],
    ignored: ['*.o', '*.a', 'build'],
  };
}

/** Returns the program that `make` makes first: its first target, or what `all` needs. */
function firstTarget(makefile: string): string | undefined {
  const rules = [...makefile.matchAll(/^([\w-]+)\s*:(?!=)\s*(.*)$/gm)];
  const [first] = rules;
  const target = first?.[1] === 'all' ? first[2]?.split(/\s+/)[0] : first?.[1];
  return target !== undefined && /^[\w-]+$/.test(target) ? target : undefined;
}

function nameOf(directory: string): string {
  return /^[\w-]+$/.test(directory) ? directory : 'program';
}
