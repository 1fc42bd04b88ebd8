import { describe } from 'vitest';
import { attachmentCases } from './storage-array/attachments.ts';
import { changeCases } from './storage-array/changes.ts';
import { copyCases } from './storage-array/copies.ts';
import { catalogCases } from './storage-array/catalog.ts';
import { hostAndPoolCases } from './storage-array/hosts-and-pools.ts';
import { policyCases } from './storage-array/policies.ts';
import { signalCases } from './storage-array/signals.ts';
import type { OpenStorageArray } from './storage-array/subject.ts';

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
    describe('copies of volumes, and figures', () => {
      copyCases(open);
    });
    describe('snapshots that the array takes by itself', () => {
      policyCases(open);
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
