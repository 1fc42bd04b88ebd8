import pino, { type Logger, type LoggerOptions } from 'pino';
import { openOutput } from './output.ts';
import { currentRequestId } from './request-context.ts';

type LogLevel = 'debug' | 'info' | 'warn' | 'error';

const SECRET_KEYS = ['password', 'secret', 'token', 'authorization', 'cookie', 'x-csrf-token'];

/** The log of a program that runs on. */
export interface ProgramLog {
  readonly log: Logger;
  /** Lines that were lost since the start, because nobody read them. */
  readonly droppedLines: () => number;
  /** Hands on what still waits and lets go of stdout. */
  readonly close: () => void;
}

/**
 * The log on stdout. A line is written before the call returns where there is room, so that it is not lost when the process dies,
 * and no worker thread is needed, which a bundle could not find. Where nobody reads, no call waits: lines are kept up to a limit,
 * then dropped and counted, and when they flow again one of them says so. Docker passes a plugin's stdout on to its own log.
 */
export function openLog(level: LogLevel): ProgramLog {
  const output = openOutput(1, (dropped) => {
    log.warn({ dropped }, 'lines of this log were dropped, because nobody read them');
  });
  const log = createLogger(level, output);
  return {
    log,
    droppedLines: () => output.dropped,
    close: () => {
      output.close();
    },
  };
}

/**
 * One JSON object a line.
 * A line bears the id of the request that it was written for.
 * Values under the names of secrets are replaced, on the first two levels and in headers; `Secret` hides itself anywhere.
 */
export function createLogger(level: LogLevel, destination: { write(line: string): void }): Logger {
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
