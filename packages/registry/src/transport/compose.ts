import type { Middleware, Send } from '../http-message.ts';

/** Composes middleware: the first one sees a request first and its answer last. */
export function compose(send: Send, ...middlewares: readonly Middleware[]): Send {
  return middlewares.reduceRight((next, middleware) => middleware(next), send);
}
