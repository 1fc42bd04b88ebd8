import type { LabArray } from './array.ts';
import type { Host } from './host.ts';
import type { Lab } from './lab.ts';

/** What users call the driver. */
export const DRIVER = 'scaleio';

/** Makes the managed plugin of a built directory and pushes it to the lab's registry; returns its name there. */
export async function publishPlugin(lab: Lab, directory: string, tag = 'latest'): Promise<string> {
  const name = `${lab.registry}/scaleio:${tag}`;
  const [host] = lab.hosts;
  if (host === undefined) throw new Error('publishing needs a host');
  await host.docker(['plugin', 'create', name, directory]);
  await host.docker(['plugin', 'push', name]);
  await host.docker(['plugin', 'rm', name]);
  return name;
}

/** `docker plugin install` from the registry, with the array's address and the password in a file of the host. */
export async function installPlugin(
  host: Host,
  array: LabArray,
  name: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<void> {
  await host.exec(['install', '-d', '-m', '700', '/etc/scaleio']);
  await host.exec(['sh', '-c', 'umask 077; cat >/etc/scaleio/password'], { input: array.password });
  const all = {
    SCALEIO_ENDPOINT: array.endpoint,
    SCALEIO_USERNAME: array.user,
    SCALEIO_PASSWORD_FILE: '/etc/scaleio/password',
    SCALEIO_INSECURE: 'true',
    ...settings,
  };
  const pairs = Object.entries(all).map(([key, value]) => `${key}=${value}`);
  await host.docker(['plugin', 'install', '--grant-all-permissions', '--alias', DRIVER, name, ...pairs]);
}
