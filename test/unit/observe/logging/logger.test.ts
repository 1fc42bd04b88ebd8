import { describe, expect, it } from 'vitest';

import { Secret } from '../../../../src/config/secret.ts';
import { newSecret } from '../../../../lab/secrets/used.ts';
import { createLogger } from '../../../../src/observe/logging/logger.ts';
import type { Log } from '../../../../src/runtime/log.ts';

const recorded = (level: 'debug' | 'info' | 'warn' | 'error' = 'debug') => {
  const lines: Record<string, unknown>[] = [];
  const log: Log = createLogger(level, {
    write: (line) => {
      lines.push(JSON.parse(line) as Record<string, unknown>);
    },
  });
  return { log, lines };
};

describe('the logger', () => {
  it('writes one JSON object a line: level, time, facts, message', () => {
    const { log, lines } = recorded();
    log.info({ volume: 'db\n', ms: 3 }, 'Mount done');
    expect(lines).toEqual([
      {
        level: 'info',
        time: expect.stringMatching(/^\d{4}-.*Z$/) as unknown,
        volume: 'db\n',
        ms: 3,
        msg: 'Mount done',
      },
    ]);
  });

  it('leaves out what is less important than its level', () => {
    const { log, lines } = recorded('warn');
    log.debug({}, 'a');
    log.info({}, 'b');
    log.warn({}, 'c');
    log.error({}, 'd');
    expect(lines.map(({ msg }) => msg)).toEqual(['c', 'd']);
  });

  it('hides secrets under their usual names and in their wrapper', () => {
    const { log, lines } = recorded();
    const hidden = newSecret('password');
    log.warn(
      {
        password: hidden,
        request: {
          token: hidden,
          headers: { authorization: hidden, cookie: hidden, 'x-csrf-token': hidden },
        },
        settings: { deep: { password: new Secret(hidden) } },
      },
      'm',
    );
    expect(JSON.stringify(lines)).not.toContain(hidden);
  });

  it('shows the stack of a bug', () => {
    const { log, lines } = recorded();
    log.error({ err: new TypeError('boom') }, 'm');
    expect(lines[0]).toMatchObject({
      err: { type: 'TypeError', stack: expect.stringContaining('logger.test.ts') as unknown },
    });
  });
});
