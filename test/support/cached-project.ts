import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Two stages for tests of caches: each run of a step leaves a different result. */
export const DOCKERFILE = `FROM busybox AS build
COPY src /src
RUN cat /src/* > /out; cat /proc/sys/kernel/random/uuid > /unused
FROM busybox
WORKDIR /w
RUN mkdir -p /usr/lib/x && echo hello > /usr/lib/x/hello && ln -s usr/lib /lib
COPY --from=build /out /out
COPY --link b /usr/lib/x/b
RUN rm /usr/lib/x/hello; cat /proc/sys/kernel/random/uuid > /id
`;
/** The context of the project. */
export const files = { Dockerfile: DOCKERFILE, 'src/1': '1\n', 'src/2': '2\n', b: 'b\n' };
/** Returns the blobs of an image layout. */
export function blobsIn(directory: string): string[] {
  return readdirSync(join(directory, 'blobs/sha256')).sort();
}
