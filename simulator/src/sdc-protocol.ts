/*
 * What the simulated MDM and the agents that play hosts' SDCs say to each other, over HTTP on the "MDM port" and
 * through files that both can see. The real protocol is closed; this one keeps what clients can observe of it.
 *
 *   POST /sdc/connect  ConnectRequest -> 200, NDJSON stream of MdmMessage, open as long as the SDC is Connected
 *   POST /sdc/ack      AckRequest     -> {}   after each `volumes` message, once acted upon
 *   POST /sdc/rescan   {"guid"}       -> {}   the volume list is sent again
 *   POST /sdc/io       IoReport       -> {}
 *
 * Access is fenced by files, so that it is also lost while the agent cannot hear the MDM:
 *   <dir>/fence/<volumeId>              FenceFile, replaced atomically before a mapping call is answered
 *   <dir>/fence/<volumeId>.<GUID>.held  the agent's process id in decimal (0 when unknown to the MDM's pid namespace)
 * An agent creates its `.held` file first, then reads the fence, and only when its GUID is allowed attaches a device;
 * it removes the `.held` file after I/O on the device is dead and the device is gone. The MDM writes the fence first
 * and looks for `.held` files then, so that one of the two always sees the other. No fence file: nobody is allowed.
 */

/** Body of POST /sdc/connect. `guid` is an upper-case UUID. */
export interface ConnectRequest {
  readonly guid: string;
  readonly ip: string;
  readonly osType?: string;
  /** Version of the SDC software, such as `R3_6.0.0`. */
  readonly version?: string;
}

/** First message of a stream. */
export interface WelcomeMessage {
  readonly type: 'welcome';
  readonly systemId: string;
  readonly sdcId: string;
  readonly installationId: string;
  readonly mdmIps: readonly string[];
}

/** `never`: the device must not appear; `wrong`: another volume's device appears; a number: milliseconds to wait. */
export type DeviceFault = 'never' | 'wrong' | number;

export interface SdcVolume {
  readonly volumeId: string;
  readonly sizeKiB: number;
  /** Absolute path of the sparse file that holds the data; it exists and has the right size. */
  readonly file: string;
  readonly readOnly: boolean;
  /** What a host has flushed outlives a power cut of the machine that the file lies on; false when left out. */
  readonly durable?: boolean;
  /** KiB per second, 0 = unlimited. */
  readonly limitBandwidthKiBps: number;
  /** I/O operations per second, 0 = unlimited. */
  readonly limitIops: number;
  readonly deviceFault?: DeviceFault;
}

/** Always the complete list of what is mapped to this SDC: at connect, after each change, and on rescan. */
interface VolumesMessage {
  readonly type: 'volumes';
  readonly volumes: readonly SdcVolume[];
}

/** The MDM does not let this SDC in; the stream ends after it. */
interface RefusedMessage {
  readonly type: 'refused';
  readonly reason: string;
}

/** Sent each second. */
interface PingMessage {
  readonly type: 'ping';
}

export type MdmMessage = WelcomeMessage | VolumesMessage | RefusedMessage | PingMessage;

/** Body of POST /sdc/ack: ids of all volumes whose devices this agent still holds, after acting on a `volumes` message. */
export interface AckRequest {
  readonly guid: string;
  readonly volumeIds: readonly string[];
}

export interface VolumeIo {
  readonly volumeId: string;
  readonly readKiB: number;
  readonly reads: number;
  readonly writeKiB: number;
  readonly writes: number;
  /** Length of the interval that the counts are of. */
  readonly seconds: number;
}

/** Body of POST /sdc/io: what went through this SDC's devices since its last report. */
export interface IoReport {
  readonly guid: string;
  readonly volumes: readonly VolumeIo[];
}

/** Content of `<dir>/fence/<volumeId>`: GUIDs (upper-case) that may do I/O on the volume. */
export interface FenceFile {
  readonly volumeId: string;
  readonly allowed: readonly string[];
}
