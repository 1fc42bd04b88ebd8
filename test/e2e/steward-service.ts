import { readFile } from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod';
import { machineArchitecture } from '../../plugin/debian.ts';
import { importSteward } from '../../plugin/steward-image.ts';
import type { LabArray } from '../../lab/hosts/array.ts';
import type { Host } from '../../lab/hosts/host.ts';
import type { Lab } from '../../lab/hosts/lab.ts';
import { newWebhookKey } from '../../lab/secrets/used.ts';
import { DocsPage } from './docs-page.ts';

const deployed = path.resolve(import.meta.dirname, '../../deploy/steward-stack.yml');
const service = 'scaleio_steward';

/** Makes the steward's image of a built plugin on a host, and pushes it to the lab's registry; returns its name there. */
export async function publishSteward(lab: Lab, plugin: string): Promise<string> {
  const image = `${lab.registry}/scaleio-steward:test`;
  const rootfs = path.join(plugin, 'rootfs');
  const host = lab.host(1);
  await host.exec(importSteward(rootfs, image, await machineArchitecture()));
  await host.docker(['push', image]);
  return image;
}

const auditLine = z.object({
  audit: z.object({ action: z.string(), outcome: z.string(), why: z.string() }),
});

/** One container of the service. */
export interface StewardContainer {
  readonly host: Host;
  readonly id: string;
}

/** The steward of deploy/steward-stack.yml, as it is, on a Swarm of the lab. */
export class StewardService {
  /** What alerts are signed with. */
  readonly alertsKey: string;
  readonly #lab: Lab;

  private constructor(lab: Lab, alertsKey: string) {
    this.#lab = lab;
    this.alertsKey = alertsKey;
  }

  /** Types what docs/steward.md says, with the lab's names in place of the examples: secrets, then the stack with policy and authority. */
  static async deploy(lab: Lab, array: LabArray, image: string, policy: object): Promise<StewardService> {
    const key = newWebhookKey();
    const host = lab.host(1);
    const page = await DocsPage.read('docs/steward.md', {
      'registry.example.com/scaleio-steward:1': image,
      'https://gateway.example.com': array.secureEndpoint,
      'SCALEIO_USERNAME=steward': `SCALEIO_USERNAME=${array.user}`,
    });
    const files = {
      'password-file': array.password,
      'key-file': key,
      'steward.yml': JSON.stringify(policy),
      'ca.pem': await readFile(array.caFile, 'utf8'),
    };
    for (const [name, content] of Object.entries(files))
      await host.exec(['sh', '-c', `umask 077; cat >/root/${name}`], { input: content });
    await host.exec(['ln', '-s', path.dirname(deployed), '/root/deploy']);
    const commands = page.find('docker secret create scaleio-password');
    await host.exec(['bash', '-euo', 'pipefail', '-c', `cd /root; ${commands}`]);
    return new StewardService(lab, key);
  }

  /** `docker service …` on a manager that answers. */
  async manage(args: readonly string[]): Promise<string> {
    const manager = await this.#lab.manager();
    if (manager === undefined) throw new Error('no manager of the Swarm answers');
    return manager.docker(['service', ...args]);
  }

  async scale(replicas: number): Promise<void> {
    await this.manage(['scale', '--detach', `${service}=${replicas}`]);
  }

  async inspect(): Promise<string> {
    return this.manage(['inspect', service]);
  }

  /** Status of each node, such as "Ready". */
  async nodes(): Promise<string[]> {
    const manager = await this.#lab.manager();
    return ((await manager?.docker(['node', 'ls', '--format', '{{.Status}}'])) ?? '').split('\n');
  }

  /** Containers that run on hosts that are on. */
  async running(): Promise<StewardContainer[]> {
    const on = this.#lab.hosts.filter((host) => host.isOn);
    const filter = `label=com.docker.swarm.service.name=${service}`;
    const found = await Promise.all(
      on.map(async (host) => {
        const ids = await host.docker(['ps', '--no-trunc', '--quiet', '--filter', filter]);
        return ids.split('\n').flatMap((id) => (id === '' ? [] : [{ host, id }]));
      }),
    );
    return found.flat();
  }
}

/** What a steward has done, by its own audit. */
export async function deedsOf({ host, id }: StewardContainer): Promise<string[]> {
  const lines = (await host.docker(['logs', id])).split('\n');
  return lines.flatMap((line) => {
    const parsed = line.startsWith('{') ? auditLine.safeParse(JSON.parse(line)) : undefined;
    const audit = parsed?.success === true ? parsed.data.audit : undefined;
    return audit?.action === 'grow' && audit.outcome === 'done' ? [audit.why] : [];
  });
}
