import type { CallContext } from './driver-call.ts';

export type { CallContext } from './driver-call.ts';

/** A volume as Get answers it. */
export interface DriverVolume {
  readonly name: string;
  /** Where it is mounted on this host, '' when it is not. */
  readonly mountpoint: string;
  readonly createdAt: Date | undefined;
  /** Must survive JSON; `docker volume inspect` shows it. */
  readonly status: Readonly<Record<string, unknown>>;
}

/** A volume as List answers it. */
export interface DriverListedVolume {
  readonly name: string;
  readonly mountpoint: string;
}

/**
 * The core as the protocol server calls it. Names are non-empty strings of any content: the engine validates nothing
 * [moby linux_parser.go]. Rejections are PluginErrors, whose message the user sees; anything else is a bug.
 */
export interface VolumeDriver {
  create(name: string, options: Readonly<Record<string, string>>, call: CallContext): Promise<void>;
  remove(name: string, call: CallContext): Promise<void>;
  /** Resolves to the mountpoint. `id` is '' when the client sent none (dvdcli). */
  mount(name: string, id: string, call: CallContext): Promise<string>;
  unmount(name: string, id: string, call: CallContext): Promise<void>;
  /** Resolves to the mountpoint, '' when not mounted here. */
  path(name: string, call: CallContext): Promise<string>;
  /**
   * Rejects with VolumeNotFoundError or InvalidRequestError only when there certainly is no such volume: the engine
   * forgets it then. Any other rejection means "cannot tell" and is not answered.
   */
  get(name: string, call: CallContext): Promise<DriverVolume>;
  list(call: CallContext): Promise<readonly DriverListedVolume[]>;
}
