import { chmod, copyFile, mkdir, mkdtemp, readdir, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { asVolumeId, type SystemId, type VolumeId } from '../../../src/array/ids.ts';
import { systemClock } from '../../../src/host/clock.ts';
import { createRunner } from '../../../src/host/run.ts';
import { createLocalSdc } from '../../../src/sdc/local-sdc.ts';
import { attacherCompliance } from '../../compliance/attacher.ts';
import type { OpenHost, SdcProblem } from '../../compliance/attacher/subject.ts';
import { silentLog } from '../../unit/sdc/silent-log.ts';
import { LoopDevice, MIB } from '../filesystem/loop-device.ts';

const SIZE = 8 * MIB;
const SYSTEM = '3ef46cbf2aaf5d0f' as SystemId;
const VOLUMES = [asVolumeId('6c33633100000009'), asVolumeId('6c3363310000000a')] as const;
const MDM = `MDM-ID ${SYSTEM} SDC ID 6b18479c00000003 INSTALLATION ID 68ab55462cbb3ae4 IPs [0]-10.0.0.1`;
const LONELY_MDM =
  'MDM-ID 0000000000000000 SDC ID 0000000000000000 INSTALLATION ID 0000000000000000 IPs [0]-10.0.0.1';

/** Looks at every disk and link anew, as the driver does when it is asked to. */
const DRV_CFG = `#!/bin/sh
cd "$(dirname "$0")" || exit 1
case "$1" in
--query_guid) echo B0E3BFB8-C20B-43BF-93C8-13339E85AA50 ;;
--query_mdms) cat mdms ;;
--query_vols) echo 'Retrieved 0 volume(s)' ;;
--rescan)
  for node in nodes/*; do [ ! -L "$node" ] || losetup --set-capacity "$(readlink "$node")"; done
  for link in unheard/*; do [ ! -L "$link" ] || mv "$link" by-id/; done
  ;;
esac
`;

/** A host whose devices are loop devices, and whose driver is a program. */
class LoopHost {
  readonly directory: string;
  readonly loops = new Map<VolumeId, LoopDevice>();

  constructor(directory: string) {
    this.directory = directory;
  }

  static async boot(): Promise<LoopHost> {
    const host = new LoopHost(await mkdtemp(path.join(tmpdir(), 'sdc-')));
    for (const each of ['by-id', 'unheard', 'nodes']) await mkdir(host.in(each));
    await writeFile(host.in('mdms'), `Retrieved 1 mdm(s)\n${MDM}\n`);
    await writeFile(host.in('modules'), 'scini 843776 0 - Live 0x0000000000000000 (OE)\n');
    await writeFile(host.in('drv_cfg'), DRV_CFG, { mode: 0o755 });
    return host;
  }

  in(...names: string[]): string {
    return path.join(this.directory, ...names);
  }

  /** A disk of its own behind the volume's link in that directory. */
  async give(volumeId: VolumeId, directory = 'by-id'): Promise<void> {
    const loop = await LoopDevice.create(SIZE);
    this.loops.set(volumeId, loop);
    await symlink(loop.node, this.in('nodes', volumeId));
    await symlink(loop.node, this.in(directory, linkOf(volumeId)));
  }

  async take(volumeId: VolumeId): Promise<void> {
    await rm(this.in('by-id', linkOf(volumeId)));
    await rm(this.in('nodes', volumeId));
    await this.#loop(volumeId).detach();
    this.loops.delete(volumeId);
  }

  async replace(volumeId: VolumeId): Promise<void> {
    await this.take(volumeId);
    await this.give(volumeId);
  }

  double(volumeId: VolumeId): Promise<void> {
    return truncate(this.#loop(volumeId).file, 2 * SIZE);
  }

  async loseLinks(): Promise<void> {
    for (const name of await readdir(this.in('by-id'))) await rm(this.in('by-id', name));
  }

  async breakSdc(problem: SdcProblem): Promise<void> {
    if (problem === 'not-connected') return writeFile(this.in('mdms'), `Retrieved 1 mdm(s)\n${LONELY_MDM}\n`);
    if (problem === 'not-installed') return rm(this.in('drv_cfg'));
    // Not written over, because a program that still runs cannot be.
    await rm(this.in('drv_cfg'));
    await copyFile('/bin/false', this.in('drv_cfg'));
    await chmod(this.in('drv_cfg'), 0o755);
    if (problem === 'not-loaded') await writeFile(this.in('modules'), '');
  }

  async end(): Promise<void> {
    for (const loop of this.loops.values()) await loop.detach();
    await rm(this.directory, { recursive: true });
  }

  #loop(volumeId: VolumeId): LoopDevice {
    const loop = this.loops.get(volumeId);
    if (loop === undefined) throw new Error(`the host has no volume "${volumeId}"`);
    return loop;
  }
}

function linkOf(volumeId: VolumeId): string {
  return `emc-vol-${SYSTEM}-${volumeId}`;
}

async function openLoopHost({ patient }: { readonly patient: boolean }): Promise<OpenHost> {
  const host = await LoopHost.boot();
  onTestFinished(() => host.end());
  const attacher = createLocalSdc({
    runner: createRunner(),
    clock: systemClock,
    log: silentLog,
    drvCfgPath: host.in('drv_cfg'),
    deviceWaitMs: patient ? 300_000 : 3000,
    rescanAfterMs: 200,
    places: { byId: host.in('by-id'), udevData: host.in('udev') },
    controlDevice: host.in('scini'),
    modules: host.in('modules'),
  });
  return {
    attacher,
    guid: 'B0E3BFB8-C20B-43BF-93C8-13339E85AA50',
    systemId: SYSTEM,
    volumes: VOLUMES,
    sizeBytes: SIZE,
    outside: {
      give: (id) => host.give(id),
      giveUnheard: (id) => host.give(id, 'unheard'),
      take: (id) => host.take(id),
      replace: (id) => host.replace(id),
      double: (id) => host.double(id),
      loseLinks: () => host.loseLinks(),
      breakSdc: (problem) => host.breakSdc(problem),
    },
    settle: (begun) => begun,
  };
}

attacherCompliance("this host's SDC over loop devices", openLoopHost);
