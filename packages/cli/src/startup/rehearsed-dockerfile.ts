/** The stage of {@link REHEARSED_DOCKERFILE} that a process can build anew without native modules. */
export const COLD_STAGE = 'cold';

/** The Dockerfile of the image `base`, which the rehearsal starts from. */
export const BASE_DOCKERFILE = `FROM scratch
COPY Dockerfile /base
CMD ["/run"]
`;

/** The Dockerfile of the rehearsal. Its first build fills a cache, before the snapshot is made. */
export const REHEARSED_DOCKERFILE = `FROM base AS ${COLD_STAGE}
COPY . /
FROM scratch AS one
ARG FROM=Dockerfile
COPY \${FROM} /
FROM base
ENV NAME=value
WORKDIR /work
COPY --from=one --chown=1:1 / /one/
COPY . .
LABEL name=\${NAME}
CMD ["/run"]
`;
