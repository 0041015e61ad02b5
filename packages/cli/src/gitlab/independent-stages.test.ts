import { expect, test } from 'vitest';
import { independentStages } from './independent-stages.ts';

test('stages that run something and need no other such stage are independent', () => {
  const text = `FROM base AS common
WORKDIR /src
FROM common AS web
RUN make web
FROM common AS server
RUN make server
FROM server AS tests
RUN make tests
FROM scratch AS unused
COPY a /
FROM scratch
COPY --from=web /out /web
COPY --from=server /out /server
`;
  expect(independentStages(text)).toEqual(['web', 'server']);
});

test('stages in a chain, unused ones and those without a name are not', () => {
  expect(independentStages('FROM a AS one\nRUN x\nFROM one AS two\nRUN y\nFROM two\nRUN z\n')).toEqual([]);
  expect(independentStages('FROM a AS one\nRUN x\nFROM a AS two\nRUN y\nFROM a\nRUN z\n')).toEqual([]);
  expect(independentStages('FROM a\nRUN x\nFROM a\nRUN y\nFROM a\nCOPY --from=0 / /\nCOPY --from=1 / /\n')).toEqual([]);
});

test('a bind mount needs its stage too', () => {
  const text =
    'FROM a AS one\nRUN x\nFROM a AS two\nRUN y\nFROM a\nRUN --mount=from=one,target=/o --mount=type=bind,from=two,target=/t z\n';
  expect(independentStages(text)).toEqual(['one', 'two']);
});
