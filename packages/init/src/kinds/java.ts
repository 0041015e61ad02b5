import { BLANK, line, ORDINARY_USER, type Line, type Template } from '../line.ts';
import type { Project } from '../project.ts';

/** A Java program: built by Maven or Gradle, run without the compiler. */
export function javaTemplate({ has, read }: Project): Template {
  const maven = has('pom.xml');
  const version = /<(?:maven\.compiler\.release|java\.version)>(\d+)</.exec(read('pom.xml'))?.[1] ?? '21';
  const build: readonly Line[] = maven
    ? [
        line(`FROM maven:3.9-eclipse-temurin-${version} AS build`),
        line('WORKDIR /src'),
        line('COPY pom.xml ./', 'Other changes keep the next step cached.'),
        line('RUN --mount=type=cache,target=/root/.m2 mvn --batch-mode dependency:go-offline'),
        line('COPY src src'),
        line(
          'RUN --mount=type=cache,target=/root/.m2 mvn --batch-mode package -DskipTests && mkdir /out && cp target/*.jar /out/',
        ),
      ]
    : [
        line(`FROM gradle:8-jdk${version} AS build`),
        line('WORKDIR /src'),
        line('COPY . .'),
        line(
          'RUN --mount=type=cache,target=/home/gradle/.gradle gradle --no-daemon assemble && mkdir /out && cp build/libs/*.jar /out/',
          'The cache mount keeps downloads between builds and out of the image.',
        ),
      ];
  return {
    lines: [
      ...build,
      BLANK,
      line(`FROM eclipse-temurin:${version}-jre`, 'The runtime, without the compiler.'),
      line('WORKDIR /app'),
      line('COPY --from=build /out/ ./'),
      ORDINARY_USER,
      line('CMD ["sh", "-c", "exec java -jar ./*.jar"]', 'The shell finds the name, and becomes the program.'),
    ],
    ignored: ['target', 'build', '.gradle', '*.class'],
  };
}
