import { BLANK, exec, line, ORDINARY_USER, type Template } from '../line.ts';
import type { Project } from '../project.ts';

/** A Python program: packages in a virtual environment, which the last stage copies. */
export function pythonTemplate(project: Project): Template {
  const version = /^(?:requires-)?python\s*=\s*["'][^\d]*(3\.\d+)/m.exec(project.read('pyproject.toml'))?.[1] ?? '3.13';
  const requirements = project.has('requirements.txt');
  const packaged = !requirements && project.has('pyproject.toml');
  const pip = (what: string) =>
    line(
      `RUN --mount=type=cache,target=/root/.cache/pip /venv/bin/pip install ${what}`,
      'The cache mount keeps downloads between builds and out of the image.',
    );
  const installs = [
    ...(requirements
      ? [line('COPY requirements.txt ./', 'Other changes keep the next step cached.'), pip('-r requirements.txt')]
      : []),
    ...(packaged ? [line('COPY . .'), pip('.')] : []),
  ];
  return {
    lines: [
      line(`FROM python:${version}-slim AS base`, 'The version is fixed, so that a build next year gives the same.'),
      line('WORKDIR /app'),
      BLANK,
      line('FROM base AS packages', 'What is needed only to install stays in this stage.'),
      line('RUN python3 -m venv /venv'),
      ...installs,
      BLANK,
      line('FROM base'),
      line('COPY --from=packages /venv /venv'),
      line('ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1', 'Unbuffered: the log shows a line when it is printed.'),
      line('COPY . .'),
      ORDINARY_USER,
      line(exec('CMD', startOf(project))),
    ],
    ignored: ['__pycache__', '*.pyc', '.venv', 'venv', '.pytest_cache', '.mypy_cache'],
  };
}

function startOf({ files, has }: Project): readonly string[] {
  if (has('manage.py')) return ['python3', 'manage.py', 'runserver', '0.0.0.0:8000'];
  const usual = ['main.py', 'app.py', 'server.py', '__main__.py'].find(has);
  return ['python3', usual ?? files.find((name) => name.endsWith('.py')) ?? 'main.py'];
}
