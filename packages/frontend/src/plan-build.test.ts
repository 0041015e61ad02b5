import { expect, test } from 'vitest';
import { planText } from '../test/plan-text.ts';

test('demo', async () => {
  const { plan, steps } = await planText(`
ARG V=1
FROM busybox AS build
ARG V
ENV A=1 B="x $A"
WORKDIR src
RUN --mount=type=cache,target=/c \\
   # comment
   make $V
COPY <<EOF a /dest/
hi $A
EOF
FROM app
COPY --from=build --link /x /y
ENTRYPOINT ["a"]
HEALTHCHECK --interval=90s CMD curl
EXPOSE 80 53/udp
RUN <<EOF
#!/bin/sh
echo
EOF
`);
  expect(plan.history.map((entry) => entry.createdBy)).toContain('COPY /x /y # buildkit'); expect(steps).toHaveLength(8);
});
