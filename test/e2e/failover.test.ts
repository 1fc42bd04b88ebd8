import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Host } from '../../lab/hosts/host.ts';
import { createVolume, onVolume } from '../../lab/stage/containers.ts';
import { mappedTo, untilNothingLeft } from '../../lab/stage/left-on-host.ts';
import { type ArrayStage, pluginStage } from '../../lab/stage/stage.ts';

describe('a host that dies with a volume', () => {
  let stage: ArrayStage;
  let one: Host;
  let other: Host;

  beforeAll(async () => {
    stage = await pluginStage({ hosts: 2 });
    one = stage.lab.host(1);
    other = stage.lab.host(2);
  });

  afterAll(async () => {
    await stage.close();
  });

  /** A container that has written and synced this line, and keeps the volume. */
  async function hold(host: Host, volume: string, line: string): Promise<void> {
    const append = 'dd of=/data/log oflag=append conv=notrunc,fsync';
    const script = `echo ${line} | ${append} && echo written && exec sleep 600`;
    const detached = ['run', '--detach', '--name', `holder-of-${volume}`, '--volume', `${volume}:/data`];
    await host.docker([...detached, 'busybox', 'sh', '-c', script]);
    await expect
      .poll(() => host.docker(['logs', `holder-of-${volume}`]), { timeout: 20_000 })
      .toContain('written');
  }

  test('gives it to the next host that asks, with all that was synced, and gets it back', async () => {
    await createVolume(one, 'moved');
    await hold(one, 'moved', 'from-one');
    await one.powerOff();
    await hold(other, 'moved', 'from-other');
    expect(await other.docker(['exec', 'holder-of-moved', 'cat', '/data/log'])).toBe('from-one\nfrom-other');
    const status = await other.docker([
      'volume',
      'inspect',
      '--format',
      '{{json .Status.lastFence}}',
      'moved',
    ]);
    expect(JSON.parse(status)).toMatchObject({ outcome: 'taken', policy: 'disconnected' });

    await one.boot();
    await untilNothingLeft(stage.array, one);
    expect(await mappedTo(stage.array, other)).toHaveLength(1);
    await other.powerOff();
    expect(await onVolume(one, 'moved', 'cat /data/log')).toBe('from-one\nfrom-other');
    await other.boot();
    await untilNothingLeft(stage.array, other);
    await untilNothingLeft(stage.array, one);
  });

  test('keeps it when the policy of the volume is never', async () => {
    await createVolume(one, 'kept', { size: '8GiB', failover: 'never' });
    await hold(one, 'kept', 'from-one');
    await one.powerOff();
    await expect(onVolume(other, 'kept', 'true')).rejects.toThrow(/is held by host .*"never"/s);
    await one.boot();
    expect(await onVolume(one, 'kept', 'cat /data/log')).toBe('from-one');
  });
});
