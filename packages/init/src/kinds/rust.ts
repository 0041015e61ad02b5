import { BLANK, line, ORDINARY_USER, type Template } from '../line.ts';
import type { Project } from '../project.ts';

/** A Rust program: built with cached dependencies, shipped on a small base. */
export function rustTemplate({ has, read }: Project): Template {
  const text = read('Cargo.toml');
  const version = /^rust-version\s*=\s*"(\d+\.\d+)/m.exec(text)?.[1] ?? '1.90';
  const name = /^name\s*=\s*"([\w-]+)"/m.exec(text)?.[1] ?? 'app';
  return {
    lines: [
      line(`FROM rust:${version}-bookworm AS build`, 'The version is fixed, so that a build next year gives the same.'),
      line('WORKDIR /src'),
      line('COPY . .'),
      line(
        `RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \\\n    cargo build --release${has('Cargo.lock') ? ' --locked' : ''} && install -D target/release/${name} /out/${name}`,
        'Crates and objects stay between builds in the mounts, so the program has to be copied out of them.',
      ),
      BLANK,
      line('FROM debian:12-slim', 'The same C library as in the stage above.'),
      line(`COPY --from=build /out/${name} /usr/local/bin/${name}`),
      ORDINARY_USER,
      line(`CMD ["${name}"]`),
    ],
    ignored: ['target'],
  };
}
