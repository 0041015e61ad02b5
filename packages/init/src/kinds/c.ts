import { BLANK, type Line, line, ORDINARY_USER, type Template } from '../line.ts';
import type { Project } from '../project.ts';

/** A C program: compiled statically, and nothing else is the image. */
export function cTemplate(project: Project): Template {
  const { program, directory = '', setUp = [], compile } = buildOf(project);
  const built = `${directory}${program}`;
  return {
    lines: [
      line('FROM gcc:15 AS build', 'The compiler stays in this stage.'),
      ...setUp,
      line('WORKDIR /src'),
      line('COPY . .'),
      line(`RUN ${compile}`, 'A static program needs no library, so the image needs no base.'),
      line(`RUN strip ${built}`),
      BLANK,
      line('FROM scratch'),
      line(`COPY --from=build /src/${built} /${program}`),
      ORDINARY_USER,
      line(`ENTRYPOINT ["/${program}"]`),
    ],
    ignored: ['*.o', '*.a', 'build'],
  };
}

interface ProgramBuild {
  readonly program: string;
  /** Where the program is written, with a slash behind it. */
  readonly directory?: string;
  /** What the build needs besides a compiler. */
  readonly setUp?: readonly Line[];
  readonly compile: string;
}

/** Returns how the project is compiled: by CMake, a configure script, make, or the compiler alone. */
function buildOf({ has, list, name, read }: Project): ProgramBuild {
  if (has('CMakeLists.txt'))
    return {
      program: cmakeProgram(read('CMakeLists.txt')) ?? nameOf(name),
      directory: 'build/',
      setUp: [
        line(
          'RUN apt-get update && apt-get install -y --no-install-recommends cmake && rm -rf /var/lib/apt/lists/*',
          'Before the files of the project: their changes keep this step cached.',
        ),
      ],
      compile:
        'cmake -B build -DCMAKE_BUILD_TYPE=Release -DCMAKE_EXE_LINKER_FLAGS=-static && cmake --build build --parallel',
    };
  if (has('configure.ac') || has('configure'))
    return {
      program: /^bin_PROGRAMS\s*=\s*([\w-]+)/m.exec(read('Makefile.am'))?.[1] ?? nameOf(name),
      compile: `${has('configure') ? '' : 'autoreconf --install && '}./configure LDFLAGS=-static && make`,
    };
  const makefile = ['Makefile', 'makefile', 'GNUmakefile'].find(has);
  const program = (makefile === undefined ? undefined : firstTarget(read(makefile))) ?? nameOf(name);
  const sources = list('src').some((file) => file.endsWith('.c')) ? 'src/*.c' : '*.c';
  const compile =
    makefile === undefined ? `cc -O2 -static -o ${program} ${sources}` : `make CFLAGS="-O2 -static" ${program}`;
  return { program, compile };
}

/** Returns the first program of CMake, which is often `${PROJECT_NAME}`. */
function cmakeProgram(lists: string): string | undefined {
  const [, project] = /\bproject\s*\(\s*([\w-]+)/i.exec(lists) ?? [];
  const [, program] = /\badd_executable\s*\(\s*(\$\{PROJECT_NAME\}|[\w-]+)/i.exec(lists) ?? [];
  return program?.startsWith('$') === true ? project : program;
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
