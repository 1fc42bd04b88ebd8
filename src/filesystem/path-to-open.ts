import type { Device } from '../attach/attacher.ts';

/** Where to open the device: by what holds it, where somebody does (rule 14), else by its node. */
export function pathToOpen({ heldPath, node }: Device): string {
  return heldPath ?? node;
}
