import type { HostId, PolicyId, VolumeId } from '../../../src/array/ids.ts';
import type { StorageArray } from '../../../src/array/storage-array.ts';

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
  /** Somebody writes this on the volume, in place of what was there. */
  write(volumeId: VolumeId, text: string): Promise<void>;
  /** What `write` wrote last on it, or on what it is a copy of; '' when it is blank. */
  written(volumeId: VolumeId): Promise<string>;
  /** Somebody makes a snapshot policy that keeps 24 snapshots an hour apart; only asked for where the array has policies. */
  makePolicy(name: string): Promise<PolicyId>;
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
