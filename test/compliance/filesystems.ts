import { describe } from 'vitest';
import type { FilesystemType } from '../../src/volumes/volume.ts';
import { deviceContentCases } from './filesystems/devices.ts';
import { filesystemSignalCases } from './filesystems/signals.ts';
import { mountCases } from './filesystems/mounts.ts';
import { copyCases } from './filesystems/copies.ts';
import { rootCases } from './filesystems/roots.ts';
import type { OpenFilesystems } from './filesystems/subject.ts';

/** What Filesystems of src/volumes/ports.ts promises, asked of one implementation; for whom, see storage-array.ts. */
export function filesystemsCompliance(name: string, open: OpenFilesystems): void {
  describe.each<FilesystemType>(['ext4', 'xfs', 'btrfs'])(`file systems as promised: ${name}, %s`, (fs) => {
    describe('a device', () => {
      deviceContentCases(open, fs);
    });
    describe('a mount', () => {
      mountCases(open, fs);
    });
    describe('a copy', () => {
      copyCases(open, fs);
    });
    describe('the root of a volume', () => {
      rootCases(open, fs);
    });
    describe('a signal that has fired', () => {
      filesystemSignalCases(open, fs);
    });
  });
}
