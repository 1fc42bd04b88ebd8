import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Host } from '../../lab/hosts/host.ts';
import { createVolume } from '../../lab/stage/containers.ts';
import { mappedTo, untilNothingLeft } from '../../lab/stage/left-on-host.ts';
import { Recorder } from './recorder.ts';
import { type Testimony, writersInTurn } from '../../lab/stage/records.ts';
import { type ArrayStage, pluginStage } from '../../lab/stage/stage.ts';

describe('a host that loses a volume', () => {
  let stage: ArrayStage;

  beforeAll(async () => {
    stage = await pluginStage({
      hosts: 2,
      settings: { releaseTimeoutMs: 500 },
      plugin: {
        SCALEIO_FAILOVER: 'always',
        SCALEIO_FAILOVER_GRACE: '0s',
        SCALEIO_MOVE_LIMIT: '1000',
        SCALEIO_REQUEST_TIMEOUT: '2s',
      },
    });
  });

  afterAll(async () => {
    await stage.close();
  });

  interface Loss {
    readonly name: string;
    before(host: Host): Promise<void>;
    after(host: Host): Promise<void>;
  }

  const losses: readonly Loss[] = [
    {
      name: 'it hangs',
      before: (host) => host.freeze(),
      after: (host) => host.thaw(),
    },
    {
      name: 'it is cut from the storage network',
      before: (host) => host.cutNetwork('storage'),
      after: (host) => host.restoreNetwork('storage'),
    },
    {
      name: 'another host just takes the volume',
      before: () => Promise.resolve(),
      after: () => Promise.resolve(),
    },
    {
      name: 'it loses power',
      before: (host) => host.powerOff(),
      after: (host) => host.boot(),
    },
  ];

  test('cleans up by itself and gets it back, twenty times over', async () => {
    await createVolume(stage.host, 'moves');
    const [one, two] = [stage.lab.host(1), stage.lab.host(2)];
    let holder = await Recorder.start(one, 'moves');
    const turns = [holder.writer];
    const testimonies: Testimony[] = [];
    for (let move = 0; move < 20; move += 1) {
      const loss = losses[move % losses.length];
      if (loss === undefined) throw new Error('no way to lose a volume');
      const old = holder;
      await old.run('dd if=/dev/zero of=/data/never-synced bs=64k count=16 2>&1');
      await loss.before(old.host);
      holder = await Recorder.start(old.host === one ? two : one, 'moves');
      testimonies.push(await old.testimony());
      await loss.after(old.host);
      await untilNothingLeft(stage.array, old.host);
      await old.remove();
      turns.push(holder.writer);
      const records = await holder.records(testimonies);
      expect(writersInTurn(records)).toEqual(turns);
      expect(await mappedTo(stage.array, holder.host)).toHaveLength(1);
    }
    await holder.remove();
    await untilNothingLeft(stage.array, holder.host);
  });
});
