import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../../src/host/clock.ts';
import { createLogger } from '../../../../src/observe/logging/logger.ts';
import { inRequest, requestTrace } from '../../../../src/observe/logging/request-context.ts';
import { CallBatcher } from '../../../../src/volumes/life/call-batcher.ts';

function recorded() {
  const lines: { msg: string; requestId?: string }[] = [];
  const log = createLogger('debug', {
    write: (line) => {
      lines.push(JSON.parse(line) as (typeof lines)[number]);
    },
  });
  const idOf = (msg: string): string | undefined => lines.find((line) => line.msg === msg)?.requestId;
  return { log, lines, idOf };
}

describe('request ids', () => {
  it('are on every line that a request sets off, and on no other', async () => {
    const { log, lines } = recorded();
    const work = async (what: string): Promise<void> => {
      await turn();
      log.debug({}, what);
      await Promise.all([turn(), turn()]);
      log.info({}, what);
    };
    await Promise.all([inRequest('r1', () => work('one')), inRequest('r2', () => work('two')), work('none')]);
    for (const [msg, requestId] of [
      ['one', 'r1'],
      ['two', 'r2'],
      ['none', undefined],
    ] as const) {
      const own = lines.filter((line) => line.msg === msg);
      expect(own.map((line) => line.requestId)).toEqual([requestId, requestId]);
    }
  });

  it('do not replace the one that a line has already', () => {
    const { log, lines } = recorded();
    inRequest('r1', () => {
      log.info({ requestId: 'own' }, 'm');
    });
    expect(lines[0]?.requestId).toBe('own');
  });

  it('are their own for work that no call owns', async () => {
    const { log, idOf } = recorded();
    await inRequest('r1', () =>
      requestTrace.apart('reconcile', () => {
        log.info({}, 'round');
        return Promise.resolve();
      }),
    );
    expect(idOf('round')).toMatch(/^reconcile-[0-9a-f-]{36}$/);
  });

  it('of a gathered look-up are the asker’s when it asked alone, else the look-up’s own', async () => {
    const { log, idOf } = recorded();
    const asked = Promise.withResolvers<undefined>();
    const gather = new CallBatcher<string, string>(
      (keys) => {
        asked.resolve(undefined);
        log.debug({}, keys.join());
        return Promise.resolve(new Map(keys.map((key) => [key, key])));
      },
      { clock: systemClock, trace: requestTrace },
      () => false,
    );
    const first = inRequest('r1', () => gather.ask('alone'));
    await asked.promise;
    // Comes while the first is answered, so that it is the first's work that goes on to ask for it.
    await Promise.all([first, inRequest('r2', () => gather.ask('late'))]);
    await Promise.all(['a', 'b'].map((key) => inRequest(`for-${key}`, () => gather.ask(key))));
    expect(idOf('alone')).toBe('r1');
    expect(idOf('late')).toBe('r2');
    expect(idOf('a,b')).toMatch(/^lookup-/);
  });
});
