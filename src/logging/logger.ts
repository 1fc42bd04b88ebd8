import pino from 'pino';
import type { Logger, LoggerOptions } from 'pino';
import { currentRequestId } from './request-context.ts';

const SECRET_KEYS = ['password', 'secret', 'token', 'authorization', 'cookie', 'x-csrf-token'];

/**
 * One JSON object a line, written to stdout before the call returns: a line is not lost when the process dies, and no
 * worker thread is needed, which a bundle could not find. Docker passes a plugin's stdout on to its own log.
 * A line bears the id of the request that it was written for.
 * Values under the names of secrets are replaced, on the first two levels and in headers; `Secret` hides itself anywhere.
 */
export function createLogger(
  level: 'debug' | 'info' | 'warn' | 'error',
  destination: { write(line: string): void } = pino.destination({ fd: 1, sync: true }),
): Logger {
  const paths = SECRET_KEYS.flatMap((key) => {
    const name = key.includes('-') ? `["${key}"]` : key;
    return [
      name,
      `*${name.startsWith('[') ? '' : '.'}${name}`,
      `*.headers${name.startsWith('[') ? '' : '.'}${name}`,
    ];
  });
  const options: LoggerOptions = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    mixin: () => {
      const requestId = currentRequestId();
      return requestId === undefined ? {} : { requestId };
    },
    redact: { paths, censor: '***' },
  };
  return pino(options, destination);
}
