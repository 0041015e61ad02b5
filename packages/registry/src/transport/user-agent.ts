import { withHeader, type Middleware } from '../http-message.ts';

/** Says who asks. */
export function userAgent(name: string): Middleware {
  return (next) => (request) => next(withHeader(request, 'user-agent', name));
}
