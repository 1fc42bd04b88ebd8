import type * as z from 'zod';

import { createBody, emptyBody, mountBody, namedBody, readRequest } from './requests.ts';
import { activated, capabilities, done, mountedAt, volume, volumes } from './responses.ts';
import type { CallContext, VolumeDriver } from '../volume-driver.ts';

/** One call read from its body, ready to run. */
interface PreparedCall {
  /** What the log shall know of the request. */
  readonly facts: object;
  /** Resolves to the body of the answer. */
  run(driver: VolumeDriver, call: CallContext): Promise<Buffer>;
}

/** One call of the volume driver protocol. */
export interface Operation {
  readonly name: string;
  readonly path: string;
  /** Long ones get the engine's 2 minutes, short ones its 1 minute. [moby proxy.go] */
  readonly length: 'long' | 'short';
  readonly isChange: boolean;
  /** True for Get: an answer without a volume makes the engine forget it, so doubt is answered by silence. */
  readonly isSilentInDoubt: boolean;
  /** Throws InvalidRequestError. */
  prepare(body: Uint8Array): PreparedCall;
}

interface Definition<T> {
  readonly name: string;
  readonly path?: string;
  readonly length?: 'long';
  readonly isChange?: true;
  readonly isSilentInDoubt?: true;
  readonly body: z.ZodType<T>;
  readonly run: (driver: VolumeDriver, request: T, call: CallContext) => Promise<Buffer> | Buffer;
}

function operation<T extends { Name?: string; ID?: string }>(definition: Definition<T>): Operation {
  const { name, path, length, isChange, isSilentInDoubt, body: schema, run } = definition;
  return {
    name,
    path: path ?? `/VolumeDriver.${name}`,
    length: length ?? 'short',
    isChange: isChange ?? false,
    isSilentInDoubt: isSilentInDoubt ?? false,
    prepare(body) {
      const request = readRequest(name, schema, body);
      return { facts: factsOf(request), run: async (driver, call) => run(driver, request, call) };
    },
  };
}

/** Docker cuts a plugin's log line at 64 KiB, and names may be of any length. [moby manager.go] */
function factsOf({ Name, ID }: { Name?: string; ID?: string }): object {
  return {
    ...(Name === undefined ? {} : { volume: Name.slice(0, 256) }),
    ...(ID === undefined ? {} : { mountId: ID.slice(0, 64) }),
  };
}

/** The protocol, whole. */
export const OPERATIONS: readonly Operation[] = [
  operation({ name: 'Activate', path: '/Plugin.Activate', body: emptyBody, run: activated }),
  operation({ name: 'Capabilities', body: emptyBody, run: capabilities }),
  operation({
    name: 'Create',
    length: 'long',
    isChange: true,
    body: createBody,
    run: (driver, { Name, Opts }, call) => driver.create(Name, Opts, call).then(done),
  }),
  operation({
    name: 'Remove',
    isChange: true,
    body: namedBody,
    run: (driver, { Name }, call) => driver.remove(Name, call).then(done),
  }),
  operation({
    name: 'Mount',
    length: 'long',
    isChange: true,
    body: mountBody,
    run: (driver, { Name, ID }, call) => driver.mount(Name, ID, call).then(mountedAt),
  }),
  operation({
    name: 'Unmount',
    isChange: true,
    body: mountBody,
    run: (driver, { Name, ID }, call) => driver.unmount(Name, ID, call).then(done),
  }),
  operation({
    name: 'Path',
    body: namedBody,
    run: (driver, { Name }, call) => driver.path(Name, call).then(mountedAt),
  }),
  operation({
    name: 'Get',
    isSilentInDoubt: true,
    body: namedBody,
    run: (driver, { Name }, call) => driver.get(Name, call).then((found) => volume(Name, found)),
  }),
  operation({ name: 'List', body: emptyBody, run: (driver, _, call) => driver.list(call).then(volumes) }),
];
