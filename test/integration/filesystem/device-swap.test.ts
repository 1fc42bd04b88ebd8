import { afterEach, describe, expect, it } from 'vitest';
import { parseCreateOptions } from '../../../src/volumes/options/create-options.ts';
import { BUILT_IN_DEFAULTS } from '../../../src/volumes/options/option-table.ts';
import { CreateVolume } from '../../../src/volumes/life/create.ts';
import { VolumeLookup } from '../../../src/volumes/life/lookup.ts';
import { asClaimant } from '../../../src/volumes/host-volume.ts';
import { MountVolume } from '../../../src/volumes/life/mount.ts';
import { TrimLoop } from '../../../src/volumes/upkeep/trim-loop.ts';
import { VolumeLock } from '../../../src/volumes/life/volume-lock.ts';
import type { FilesystemType, VolumeName } from '../../../src/volumes/volume.ts';
import { sh } from './loop-device.ts';
import { Stage, type Swap } from './swapped-device.ts';

const signal = new AbortController().signal;
const swaps: readonly Swap[] = ['relink', 'renode', 'unmap'];
/** Who must not be met: the program while it waits, told from its other uses by a word of its arguments. */
const growers = {
  ext4: { program: 'resize2fs', word: '--' },
  xfs: { program: 'xfs_growfs', word: '-d' },
  btrfs: { program: 'btrfs', word: 'resize' },
} as const satisfies Record<FilesystemType, { program: string; word: string }>;

let stage: Stage | undefined;
afterEach(async () => {
  await stage?.dispose();
  stage = undefined;
});

async function set(preciousFs?: FilesystemType): Promise<Stage> {
  stage = await Stage.create(preciousFs);
  return stage;
}

function create({ host }: Stage, fs: FilesystemType): Promise<void> {
  const name = 'web' as VolumeName;
  const { options } = parseCreateOptions(
    name,
    { fs, size: '8GiB' },
    { defaults: BUILT_IN_DEFAULTS, classes: new Map() },
  );
  return new CreateVolume(host, new VolumeLookup(host)).create(name, options, signal);
}

function mount({ host }: Stage): Promise<unknown> {
  return new MountVolume(host, new VolumeLookup(host)).mount('db' as VolumeName, asClaimant('a'), signal);
}

const each = <Step>(steps: readonly Step[]): (readonly [Step, Swap])[] =>
  steps.flatMap((step) => swaps.map((swap) => [step, swap] as const));

/** Also where the program refused by itself. */
const refused = { code: 'SDC', problem: 'device-mismatch' };
describe.each<FilesystemType>(['ext4', 'xfs', 'btrfs'])('%s, whose device changes while it waits,', (fs) => {
  it.each(each(['blkid', 'mkfs', 'mount'] as const))(
    'is not created (%s, %s), and the other volume is as it was',
    async (step, swap) => {
      const on = await set(step === 'mount' ? fs : undefined);
      const before = await on.precious();
      const at = {
        blkid: { program: 'blkid', word: '-p' },
        mkfs: { program: `mkfs.${fs}`, word: '--' },
        mount: { program: 'mount', word: fs },
      }[step];
      const swapped = on.swapWhile(at, swap, () => on.provisionalId());
      await expect(create(on, fs)).rejects.toMatchObject(refused);
      await swapped;
      expect(await on.mountpoints()).toEqual([]);
      expect(on.world.exists('web')).toBe(false);
      expect(await on.precious()).toBe(before);
    },
  );

  it.each(each(['blkid', ...(fs === 'ext4' ? ['e2fsck'] : []), 'mount', 'grow']))(
    'is not handed out by Mount (%s, %s), and the other volume is as it was',
    async (step, swap) => {
      const on = await set(fs);
      const { id } = await on.addVolume('db', fs);
      if (step === 'e2fsck') await sh('debugfs', '-w', '-R', 'set_super_value state 3', on.imageOf('db'));
      const before = await on.precious();
      const at = {
        blkid: { program: 'blkid', word: '-p' },
        mount: { program: 'mount', word: fs },
        grow: growers[fs],
      }[step] ?? { program: step, word: '--' };
      const swapped = on.swapWhile(at, swap, () => id);
      await expect(mount(on)).rejects.toMatchObject(refused);
      await swapped;
      expect(await on.mountpoints()).toEqual([]);
      expect(await on.precious()).toBe(before);
    },
  );

  it.each(swaps)('is said to be trimmed in vain (%s), and the other volume is as it was', async (swap) => {
    const on = await set(fs);
    const { id } = await on.addVolume('db', fs);
    await mount(on);
    const before = await on.precious();
    const { attacher, filesystems, journal, clock, log, trace } = on.host;
    const loop = new TrimLoop(
      { attacher, filesystems, journal, lock: new VolumeLock(clock), clock, log, trace },
      { intervalMs: 20, limitMs: 30_000, courtesyMs: 250 },
    );
    const swapped = on.swapWhile({ program: 'fstrim', word: '--' }, swap, () => id);
    loop.start();
    await swapped;
    await expect.poll(() => loop.totals.runs, { interval: 5, timeout: 30_000 }).toBeGreaterThan(0);
    await loop.stop();
    expect(loop.totals.failures).toBe(loop.totals.runs);
    expect(await on.precious()).toBe(before);
  });

  it('is made and handed out when nothing changes', async () => {
    const on = await set(fs);
    const before = await on.precious();
    await on.addVolume('db', fs);
    await expect(mount(on)).resolves.toMatchObject({
      path: expect.stringMatching(/docker-db$/) as string,
    });
    await create(on, fs);
    expect(on.world.exists('web')).toBe(true);
    expect(await on.precious()).toBe(before);
  });
});
