import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Host } from '../../lab/hosts/host.ts';
import { BUSYBOX } from '../../lab/hosts/image.ts';
import { until } from '../../lab/hosts/until.ts';
import { createVolume, onVolume } from '../../lab/stage/containers.ts';
import { volumeMounts } from '../../lab/stage/left-on-host.ts';
import { type ArrayStage, pluginStage } from '../../lab/stage/stage.ts';

/* Whether the lab hurts a host as life does: what other tests prove rests on it. */
describe('a host of the lab', () => {
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

  async function run(volume: string, script: string): Promise<void> {
    const detached = ['run', '--detach', '--name', volume, '--volume', `${volume}:/data`];
    await one.docker([...detached, BUSYBOX, 'sh', '-c', script]);
  }

  for (const frozen of [false, true]) {
    const state = frozen ? 'frozen ' : '';
    test(`loses at a power cut what was not synced, also what only a ${state}container still mounts`, async () => {
      const volume = `cut-${frozen ? 'frozen' : 'running'}`;
      await createVolume(one, volume);
      await run(volume, 'sleep 600');
      await one.docker([
        'exec',
        volume,
        'sh',
        '-c',
        'echo synced | dd of=/data/a conv=fsync && sync -f /data/a',
      ]);
      const [mountpoint = ''] = await volumeMounts(one);
      await one.exec(['umount', '--lazy', mountpoint]); // takes its copies in other namespaces along
      expect(await volumeMounts(one)).toEqual([]);
      await one.docker(['exec', volume, 'sh', '-c', 'echo lost >/data/b']);
      if (frozen) await one.freeze();
      await one.powerOff();
      expect(await onVolume(other, volume, 'cat /data/*')).toBe('synced');
      await one.boot();
      await one.docker(['rm', '--force', volume]);
    });
  }

  test('freezes while its containers wait for the disk, and goes on where it stood', async () => {
    await createVolume(one, 'busy');
    const loop = 'while :; do dd if=/dev/zero of=/data/$n bs=256k count=4 conv=fsync 2>/dev/null; done';
    await run('busy', `for n in 1 2 3 4 5 6; do ${loop} & done; wait`);
    const written = async (): Promise<string> => one.docker(['exec', 'busy', 'stat', '-c', '%y', '/data/1']);
    await until('the first file', async () => (await written()) !== '');
    for (let round = 0; round < 10; round += 1) {
      const before = await written();
      await one.freeze();
      expect(await one.isFrozen()).toBe(true);
      await one.thaw();
      await until('a write after the thaw', async () => (await written()) !== before);
    }
  });
});
