import { expect } from 'vitest';
import type { Outcome } from './target.ts';

/** The body of an answer of success. */
export function expectOk(outcome: Outcome): unknown {
  expect(describeOutcome(outcome)).toMatch(/^200 \{/);
  return outcome.kind === 'answer' ? JSON.parse(outcome.text) : undefined;
}

/** Status 500 and a text, as both Docker and Podman understand it. */
export function expectFailure(outcome: Outcome, saying = /./): void {
  expect(describeOutcome(outcome)).toMatch(/^500 \{/);
  if (outcome.kind !== 'answer') return;
  const failure = JSON.parse(outcome.text) as { Err?: unknown };
  expect(failure).toEqual({ Err: expect.stringMatching(saying) as unknown });
  expect(failure.Err).not.toMatch(/[\n\r]/);
}

export const describeOutcome = (outcome: Outcome) =>
  outcome.kind === 'dropped' ? 'dropped' : `${outcome.status} ${outcome.text.slice(0, 300)}`;
