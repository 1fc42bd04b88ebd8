import path from 'node:path';
import { builtPlugin } from '../../plugin/built.ts';
import { type LabArray, startArray } from '../hosts/array.ts';
import type { ArrayOptions } from '../hosts/plan.ts';
import { createLab, type Lab } from '../hosts/lab.ts';
import { DRIVER, installPlugin, publishPlugin } from '../hosts/scaleio-plugin.ts';
import type { Steps } from './steps.ts';

export interface InstalledLab {
  readonly lab: Lab;
  readonly array: LabArray;
}

/** Hosts with a simulated array and the managed plugin, made in steps that somebody watches. */
export async function installedLab(
  steps: Steps,
  {
    name: labName,
    hosts,
    arrayOptions,
  }: { readonly name: string; readonly hosts: number; readonly arrayOptions?: ArrayOptions },
): Promise<InstalledLab> {
  const directory = await steps.run('Build the managed plugin', ['make plugin'], () => builtPlugin());
  const what = "network, processes and files of its own; this machine's Docker is not touched";
  const many =
    hosts === 1 ? 'a host with its own Docker engine' : `${hosts} hosts, each with its own Docker engine`;
  const lab = await steps.run(`Start ${many}`, [what], () =>
    createLab({ hosts, name: labName, engineArguments: ['--log-level=info'] }),
  );
  const host = lab.host(1);
  const names = lab.hosts.map((one) => one.name).join(', ');
  steps.show(`Docker ${await host.docker(['version', '--format', '{{.Server.Version}}'])} on ${names}`);
  const array = await steps.run(
    `Start the simulated ScaleIO: gateway, MDM, and the SDC of ${hosts === 1 ? 'the' : 'each'} host`,
    ['docker-volume-scaleio simulate', 'docker-volume-scaleio simulate-sdc'],
    () => startArray(lab, arrayOptions),
  );
  const name = `${lab.registry}/scaleio:latest`;
  const push = [
    `docker plugin create ${name} ${path.relative('.', directory)}`,
    `docker plugin push ${name}`,
  ];
  await steps.run('Publish the plugin in a registry', push, () => publishPlugin(lab, directory));
  const install = `docker plugin install ${name} --alias ${DRIVER} SCALEIO_ENDPOINT=${array.endpoint} …`;
  await steps.run('Install it from there', [install], async () => {
    await Promise.all(lab.hosts.map((one) => installPlugin(one, array, name)));
  });
  return { lab, array };
}
