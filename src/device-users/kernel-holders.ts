import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { hasCode } from '../host/files.ts';

/** Where the kernel tells of its devices and targets. */
export interface KernelPlaces {
  /** /proc, for its table of swaps. */
  readonly proc: string;
  /** /sys. */
  readonly sys: string;
}

/**
 * What holds the device without a process: device mapper and md above it, a loop device or a swap on it, and what exports it
 * to other machines (nvmet, LIO). Each as it follows "; ": 'device mapper "dm-0" is built on it'.
 */
export function kernelHolders(
  { proc, sys }: KernelPlaces,
  device: { readonly number: string; readonly rdev: bigint },
): string[] {
  return [
    ...namesIn(path.join(sys, 'dev/block', device.number, 'holders')).map(
      (name) => `block device "${name}" is built on it`,
    ),
    ...loopsOn(sys, device.rdev),
    ...swapsOn(proc, device.rdev),
    ...nvmeTargetsOn(sys, device.rdev),
    ...scsiTargetsOn(sys, device.rdev),
  ];
}

function loopsOn(sys: string, rdev: bigint): string[] {
  return namesIn(path.join(sys, 'block'))
    .filter((name) => name.startsWith('loop'))
    .filter((name) => leadsTo(textOf(path.join(sys, 'block', name, 'loop/backing_file')), rdev))
    .map((name) => `loop device "${name}" is built on it`);
}

function swapsOn(proc: string, rdev: bigint): string[] {
  const [, ...lines] = (textOf(path.join(proc, 'swaps')) ?? '').split('\n');
  return lines.some((line) => leadsTo(line.split(/\s/, 1)[0], rdev)) ? ['the kernel swaps to it'] : [];
}

/** nvmet: subsystems/NAME/namespaces/NUMBER/device_path in configfs [Linux drivers/nvme/target/configfs.c]. */
function nvmeTargetsOn(sys: string, rdev: bigint): string[] {
  const subsystems = path.join(sys, 'kernel/config/nvmet/subsystems');
  return namesIn(subsystems).flatMap((subsystem) => {
    const namespaces = path.join(subsystems, subsystem, 'namespaces');
    return namesIn(namespaces)
      .filter((number) => leadsTo(textOf(path.join(namespaces, number, 'device_path')), rdev))
      .map((number) => `NVMe target "${subsystem}" exports it as namespace ${number}`);
  });
}

/** LIO: target/core/iblock_N/NAME/udev_path in configfs [Linux drivers/target/target_core_configfs.c]. */
function scsiTargetsOn(sys: string, rdev: bigint): string[] {
  const core = path.join(sys, 'kernel/config/target/core');
  return namesIn(core).flatMap((adapter) =>
    namesIn(path.join(core, adapter))
      .filter((name) => leadsTo(textOf(path.join(core, adapter, name, 'udev_path')), rdev))
      .map((name) => `SCSI target "${name}" exports it`),
  );
}

function leadsTo(file: string | undefined, rdev: bigint): boolean {
  if (file === undefined || !file.startsWith('/')) return false;
  const facts = orUndefined(() => statSync(file.trim(), { bigint: true }));
  return facts?.isBlockDevice() === true && facts.rdev === rdev;
}

function namesIn(directory: string): string[] {
  return orUndefined(() => readdirSync(directory)) ?? [];
}

function textOf(file: string): string | undefined {
  return orUndefined(() => readFileSync(file, 'utf8'));
}

/** Not there, not of this kernel, or gone while it was looked at. */
function orUndefined<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'ENODEV', 'EINVAL', 'ENXIO', 'EACCES', 'EPERM')) return undefined;
    throw error;
  }
}
