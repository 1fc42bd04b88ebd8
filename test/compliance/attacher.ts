import { describe } from 'vitest';
import { attacherSignalCases } from './attacher/signals.ts';
import { deviceCases } from './attacher/devices.ts';
import { holdingCases } from './attacher/holding.ts';
import { sdcCases } from './attacher/sdc.ts';
import type { OpenAttacher } from './attacher/subject.ts';

/** What src/attach/attacher.ts promises, asked of one implementation; for whom, see storage-array.ts. */
export function attacherCompliance(name: string, open: OpenAttacher): void {
  describe(`an attacher as promised: ${name}`, () => {
    describe('the SDC', () => {
      sdcCases(open);
    });
    describe('a device', () => {
      deviceCases(open);
    });
    describe('a device that is held', () => {
      holdingCases(open);
    });
    describe('a signal that fires', () => {
      attacherSignalCases(open);
    });
  });
}
