import { BLANK, line, ORDINARY_USER, type Template } from '../line.ts';
import type { Project } from '../project.ts';

/** A Go program: one static file, and nothing else, is the image. */
export function goTemplate({ has, read, list }: Project): Template {
  const text = read('go.mod');
  const version = /^go (\d+\.\d+)/m.exec(text)?.[1] ?? '1.25';
  const name = /^module \S*?([\w.-]+)(?:\/v\d+)?$/m.exec(text)?.[1] ?? 'app';
  const source = has('main.go')
    ? '.'
    : list('cmd').includes(name)
      ? `./cmd/${name}`
      : `./cmd/${list('cmd')[0] ?? name}`;
  const caches = '--mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build';
  return {
    lines: [
      line(
        `FROM --platform=$BUILDPLATFORM golang:${version} AS build`,
        'The compiler runs on this machine and makes code for the other one: no emulation.',
      ),
      line('WORKDIR /src'),
      line(`COPY go.mod ${has('go.sum') ? 'go.sum ' : ''}./`, 'Other changes keep the next step cached.'),
      line('RUN --mount=type=cache,target=/go/pkg/mod go mod download'),
      line('COPY . .'),
      line('ARG TARGETOS TARGETARCH'),
      line(
        `RUN ${caches} \\\n    CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -ldflags=-s -o /out/${name} ${source}`,
        'Without cgo the program needs no library, so the image needs no base.',
      ),
      BLANK,
      line('FROM scratch'),
      line('COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/', 'For requests to HTTPS servers.'),
      line(`COPY --from=build /out/${name} /${name}`),
      ORDINARY_USER,
      line(`ENTRYPOINT ["/${name}"]`),
    ],
    ignored: ['bin', '*.test', '*.out'],
  };
}
