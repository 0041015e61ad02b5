/** The stage of {@link REHEARSED_DOCKERFILE} that a process can build without native modules when the context has changed. */
export const CHANGED_STAGE = 'changed';

/** The Dockerfile of the image that the rehearsal starts from: `base` in the store, `layout` in a directory. */
export const BASE_DOCKERFILE = `FROM scratch
COPY Dockerfile /base
CMD ["/run"]
`;

/** The Dockerfile of the rehearsal. Its first build fills a cache, before the snapshot is made. */
export const REHEARSED_DOCKERFILE = `FROM base AS ${CHANGED_STAGE}
ARG FROM=.
COPY \${FROM} /
FROM layout
ENV NAME=value
WORKDIR /work
COPY --from=${CHANGED_STAGE} --chown=1:1 /Dockerfile /one/
COPY . .
LABEL name=\${NAME}
CMD ["/run"]
`;
