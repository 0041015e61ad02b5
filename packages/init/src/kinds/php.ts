import { BLANK, line, ORDINARY_USER, type Template } from '../line.ts';
import type { Project } from '../project.ts';

/** A PHP application behind Apache, with the packages of Composer. */
export function phpTemplate({ has, list }: Project): Template {
  const composed = has('composer.json');
  const lock = has('composer.lock') ? ' composer.lock' : '';
  const root = list('public').length > 0 ? '/var/www/html/public' : '/var/www/html';
  const packages = [
    line('FROM composer:2 AS packages', 'Composer itself stays in this stage.'),
    line('WORKDIR /app'),
    line(`COPY composer.json${lock} ./`, 'Other changes keep the next step cached.'),
    line('RUN --mount=type=cache,target=/tmp/cache composer install --no-dev --no-scripts --no-autoloader'),
    line('COPY . .'),
    line('RUN composer dump-autoload --no-dev --optimize'),
    BLANK,
  ];
  return {
    lines: [
      ...(composed ? packages : []),
      line('FROM php:8.4-apache', 'The version is fixed, so that a build next year gives the same.'),
      line('ENV PORT=8080', 'Only root may use a port below 1024.'),
      line(
        `RUN sed -ri 's/Listen 80/Listen \${PORT}/' /etc/apache2/ports.conf \\\n && sed -ri 's#/var/www/html#${root}#; s/:80>/:\${PORT}>/' /etc/apache2/sites-available/*.conf`,
      ),
      line(composed ? 'COPY --from=packages /app /var/www/html' : 'COPY . /var/www/html'),
      ORDINARY_USER,
      line('EXPOSE 8080'),
    ],
    ignored: ['vendor', 'node_modules', 'tests'],
  };
}
