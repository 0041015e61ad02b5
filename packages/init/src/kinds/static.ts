import { line, ORDINARY_USER, type Template } from '../line.ts';
import type { Project } from '../project.ts';

/** Pages without a program, served by BusyBox. */
export function staticTemplate({ has }: Project): Template {
  const source = has('index.html') ? '.' : 'public';
  return {
    lines: [
      line(
        'FROM busybox:1.37',
        'Its small web server is enough for pages. For compression or rules for URLs take nginxinc/nginx-unprivileged.',
      ),
      line(`COPY ${source} /srv`),
      ORDINARY_USER,
      line('EXPOSE 8080', 'Only root may use a port below 1024.'),
      line('CMD ["busybox", "httpd", "-f", "-v", "-p", "8080", "-h", "/srv"]'),
    ],
    ignored: [],
  };
}
