import * as z from 'zod';
import { isPluginError, type ErrorCode } from '../../errors.ts';

/** Body of every answer that says why not (RFC 9457). */
export const problemSchema = z
  .object({
    type: z.literal('about:blank'),
    title: z.string().describe('what kind of answer it is, in few words'),
    status: z.int(),
    detail: z
      .string()
      .describe('what was attempted, on what, why it failed and what to do: as the commands say it'),
    code: z.string().describe('the kind of failure, for programs'),
    retryable: z
      .boolean()
      .describe('the same request may succeed a moment later without anybody changing anything'),
    context: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
    requestId: z.string().describe("of this request in the steward's log"),
  })
  .meta({ id: 'Problem' });
export type Problem = z.output<typeof problemSchema>;

export const PROBLEM_TYPE = 'application/problem+json';

/** What this door refuses by itself, before anybody is asked. */
export class ApiRefusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: string, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.name = 'ApiRefusal';
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

/** By who can do something about it. */
const STATUS: Readonly<Record<ErrorCode, number>> = {
  INVALID_REQUEST: 400,
  VOLUME_NOT_FOUND: 404,
  VOLUME_CONFLICT: 409,
  VOLUME_IN_USE: 409,
  NOT_NOW: 409,
  HOST_NEEDED: 409,
  NEWER_VERSION: 409,
  GATEWAY_REJECTED: 409,
  NO_CAPACITY: 507,
  GATEWAY_UNAVAILABLE: 503,
  GATEWAY_AUTH: 502,
  SDC: 502,
  FILESYSTEM: 502,
  PLUGIN: 502,
  WEBHOOK: 502,
  CANCELLED: 504,
  CONFIG: 500,
};

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Who asks is not known',
  403: 'Not allowed with this token',
  404: 'Not there',
  405: 'Not possible here',
  409: 'Not as things are',
  413: 'Too large',
  415: 'Not JSON',
  422: 'Another request with the same key',
  429: 'Too many requests',
  502: 'Somebody behind the steward failed',
  503: 'Not reachable now',
  504: 'Not answered in time',
  507: 'No room',
};

/** What is answered to a failure, and with which headers; undefined for one that nobody expected. */
export function problemOf(
  error: unknown,
  requestId: string,
): { readonly problem: Problem; readonly headers: Readonly<Record<string, string>> } | undefined {
  if (error instanceof ApiRefusal) {
    const { status, code, message: detail, headers } = error;
    return {
      headers,
      problem: { ...base(status), detail, code, retryable: status === 429, context: {}, requestId },
    };
  }
  if (!isPluginError(error)) return undefined;
  const { code, message: detail, retryable, context } = error;
  return { headers: {}, problem: { ...base(STATUS[code]), detail, code, retryable, context, requestId } };
}

/** For a failure that nobody expected: its words are for the log alone. */
export function internalProblem(requestId: string): Problem {
  const detail = `internal error, see the steward's log for request ${requestId}`;
  return { ...base(500), detail, code: 'INTERNAL', retryable: false, context: {}, requestId };
}

function base(status: number): Pick<Problem, 'type' | 'title' | 'status'> {
  return { type: 'about:blank', title: TITLES[status] ?? 'Failed', status };
}
