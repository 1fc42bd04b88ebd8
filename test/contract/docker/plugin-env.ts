import path from 'node:path';
import { PASSWORD } from '../gateway/simulated.ts';

/** The settings of a plugin that has all its places below the directory, in front of a simulated array. */
export function pluginEnv(directory: string, endpoint: string) {
  return {
    SCALEIO_ENDPOINT: endpoint,
    SCALEIO_USERNAME: 'admin',
    SCALEIO_PASSWORD: PASSWORD,
    SCALEIO_GUID: '11111111-1111-1111-1111-111111111111',
    SCALEIO_SOCKET: path.join(directory, 's.sock'),
    SCALEIO_STATE_DIR: path.join(directory, 'state'),
    SCALEIO_MOUNT_ROOT: path.join(directory, 'mounts'),
    SCALEIO_BY_ID_DIR: directory,
  };
}
