import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import type { Trace } from '../../runtime/log.ts';

const storage = new AsyncLocalStorage<string>();

/** Runs work, and everything that it sets off, under a request id: every line that it logs bears it. */
export function inRequest<T>(requestId: string, work: () => T): T {
  return storage.run(requestId, work);
}

/** The id of the work that is running now, undefined outside of any. */
export function currentRequestId(): string | undefined {
  return storage.getStore();
}

/** The core's view of request ids. Ids of work that no call owns begin with what it is. */
export const requestTrace: Trace = {
  apart: (what, work) => inRequest(`${what}-${randomUUID()}`, work),
  here: () => AsyncLocalStorage.snapshot(),
};
