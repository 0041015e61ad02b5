import { withHeader, type Middleware } from '../http-message.ts';

/** Identifies the program. */
export function userAgent(name: string): Middleware {
  return (next) => (request) => next(withHeader(request, 'user-agent', name));
}
