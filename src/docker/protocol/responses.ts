import { setImmediate as yieldToEventLoop } from 'node:timers/promises';

import type { DriverListedVolume, DriverVolume } from '../volume-driver.ts';

/** What the plugin calls its JSON; engines look at the status and the body only. */
export const CONTENT_TYPE = 'application/vnd.docker.plugins.v1.2+json';

/** Volumes encoded between two turns of the event loop: about a millisecond of work. */
const VOLUMES_PER_TURN = 1000;

const encode = (answer: object) => Buffer.from(JSON.stringify(answer));

/** The answer of calls that only succeed or fail. */
export const done = () => encode({});

export const activated = () => encode({ Implements: ['VolumeDriver'] });

/** Volumes are the array's, so every host sees the same ones. */
export const capabilities = () => encode({ Capabilities: { Scope: 'global' } });

export const mountedAt = (mountpoint: string) => encode({ Mountpoint: mountpoint });

/** Never with an empty text: Docker would then show the raw body. [moby client.go] */
export const failed = (text: string) => encode({ Err: text === '' ? 'unknown failure' : text });

/**
 * The answer to Get. Carries the name that was asked for, because the engine takes over the one it finds here; no
 * CreatedAt rather than one that is not RFC 3339, which would make the volume vanish. [moby adapter.go]
 */
export function volume(askedName: string, found: DriverVolume): Buffer {
  const isDated = found.createdAt !== undefined && isRfc3339(found.createdAt);
  return encode({
    Volume: {
      Name: askedName,
      Mountpoint: found.mountpoint,
      ...(isDated ? { CreatedAt: found.createdAt.toISOString() } : {}),
      Status: found.status,
    },
  });
}

/** The answer to List, made in turns so that other calls are served meanwhile, however many volumes there are. */
export async function volumes(listed: readonly DriverListedVolume[]): Promise<Buffer> {
  const parts: Buffer[] = [Buffer.from('{"Volumes":[')];
  for (let start = 0; start < listed.length; start += VOLUMES_PER_TURN) {
    if (start > 0) await yieldToEventLoop();
    const turn = listed.slice(start, start + VOLUMES_PER_TURN);
    const json = turn.map(({ name, mountpoint }) => JSON.stringify({ Name: name, Mountpoint: mountpoint }));
    parts.push(Buffer.from((start > 0 ? ',' : '') + json.join(',')));
  }
  parts.push(Buffer.from(']}'));
  return Buffer.concat(parts);
}

/** Go reads years of four digits only. */
function isRfc3339(date: Date): boolean {
  const year = date.getUTCFullYear();
  return year >= 0 && year <= 9999;
}
