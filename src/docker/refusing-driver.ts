import type { PluginError } from '../errors.ts';
import type { VolumeDriver } from './volume-driver.ts';

type Refusal = () => Promise<never>;

/** Calls that need nothing but what this host knows, or that tell by themselves when that is not enough. */
type LocalCall = 'unmount' | 'path' | 'get' | 'list';

/** Answers every call with the reason why nothing can be done or told; Get with silence, because that is doubt. */
export function refusingDriver(reason: PluginError): Record<keyof VolumeDriver, Refusal> {
  const refuse = (): Promise<never> => Promise.reject(reason);
  return { ...refusedChanges(refuse), unmount: refuse, path: refuse, get: refuse, list: refuse };
}

/** The driver, but Create, Mount and Remove are answered with the reason why they cannot be. */
export function withoutChanges<Driver extends Pick<VolumeDriver, LocalCall>>(
  driver: Driver,
  reason: PluginError,
): Pick<Driver, LocalCall> & Record<'create' | 'mount' | 'remove', Refusal> {
  return {
    ...refusedChanges(() => Promise.reject(reason)),
    unmount: (...call) => driver.unmount(...call),
    path: (...call) => driver.path(...call),
    get: (...call) => driver.get(...call),
    list: (...call) => driver.list(...call),
  };
}

function refusedChanges(refuse: Refusal): Record<'create' | 'mount' | 'remove', Refusal> {
  return { create: refuse, mount: refuse, remove: refuse };
}
