import { describe } from 'vitest';
import type { HostId, VolumeId } from '../../src/array/ids.ts';
import type { StorageArray } from '../../src/array/storage-array.ts';
import { attachmentCases } from './storage-array/attachments.ts';
import { changeCases } from './storage-array/changes.ts';
import { catalogCases } from './storage-array/catalog.ts';
import { hostAndPoolCases } from './storage-array/hosts-and-pools.ts';
import { signalCases } from './storage-array/signals.ts';

/** The array as one host's plugin reaches it. Nobody has asked it anything. */
export interface HostView {
  readonly array: StorageArray;
  readonly hostId: HostId;
  readonly guid: string;
}

/** What happens at the array without anybody who uses the port. */
interface Outside {
  /** Milliseconds since 1970, as the array counts. */
  now(): number;
  /** The host reads and writes so often in the array's present measuring interval. */
  io(hostId: HostId, volumeId: VolumeId, operations: number): Promise<void>;
  /** Somebody lets every host use the volume. */
  attachToAll(volumeId: VolumeId): Promise<void>;
  /** The array no longer hears the host. */
  silence(guid: string): Promise<void>;
}

/** An array of its own for one test, which also ends it: no volumes, and two hosts that are connected. */
export interface OpenArray {
  readonly one: HostView;
  readonly two: HostView;
  /** A host of which the array has never heard. */
  readonly stranger: HostView;
  readonly outside: Outside;
}

export interface DomainLayout {
  readonly domain: string;
  readonly pools: readonly string[];
}

export type OpenStorageArray = (layout: readonly DomainLayout[]) => Promise<OpenArray>;

/**
 * What src/array/storage-array.ts promises, asked of one implementation. Whoever implements the port runs it; who plays the
 * array in a test of somebody else does, too, so that such a test stands on what the real one does.
 */
export function storageArrayCompliance(name: string, open: OpenStorageArray): void {
  describe(`a storage array as promised: ${name}`, () => {
    describe('finding and reading volumes', () => {
      catalogCases(open);
    });
    describe('making, changing and removing volumes', () => {
      changeCases(open);
    });
    describe('which host may use which volume', () => {
      attachmentCases(open);
    });
    describe('hosts and pools', () => {
      hostAndPoolCases(open);
    });
    describe('a signal that has fired', () => {
      signalCases(open);
    });
  });
}
