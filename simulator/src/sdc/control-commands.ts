import type { ControlAnswer } from './control-socket.ts';
import {
  guidOutput,
  mdmsOutput,
  volumesOutput,
  type MappedVolumeId,
  type MdmEntry,
} from './drv-cfg-output.ts';

/** What drv_cfg can ask of the SDC on this host, and the fault controls that go the same way. */
export interface ControlledSdc {
  readonly guid: string;
  mappedVolumes(): readonly MappedVolumeId[];
  mdmEntries(): readonly MdmEntry[];
  /** drv_cfg.txt as it would be now. */
  config(): string;
  rescan(): Promise<void>;
  /** These three are false when nothing fits: the address is there already, or there is none such. */
  addMdm(ips: string): boolean;
  changeMdm(ip: string, ips: string): boolean;
  removeMdm(ip: string): Promise<boolean>;
  silence(): void;
  resume(): void;
}

const done = (text: string): ControlAnswer => ({ ok: true, text });
const refused = (text: string): ControlAnswer => ({ ok: false, text: `${text}\n` });

/**
 * Answers one request. The texts of the commands that change something are not confirmed by any source; nothing is
 * written to stderr on success, because CloudStack takes that for a failure.
 */
export async function answerControl(sdc: ControlledSdc, words: readonly string[]): Promise<ControlAnswer> {
  const [command = '', first = '', second = ''] = words;
  switch (command) {
    case 'query_guid':
      return done(guidOutput(sdc.guid));
    case 'query_vols':
      return done(volumesOutput(sdc.mappedVolumes()));
    case 'query_mdms':
      return done(mdmsOutput(sdc.mdmEntries()));
    case 'config':
      return done(sdc.config());
    case 'rescan':
      await sdc.rescan();
      return done('Successfully completed the rescan operation\n');
    case 'silence':
      sdc.silence();
      return done('');
    case 'resume':
      sdc.resume();
      return done('');
    default:
      return changeMdms(sdc, command, first, second);
  }
}

async function changeMdms(
  sdc: ControlledSdc,
  command: string,
  ip: string,
  ips: string,
): Promise<ControlAnswer> {
  switch (command) {
    case 'add_mdm':
      return sdc.addMdm(ip) ? done('Successfully added MDM\n') : refused(`MDM ${ip} is already configured`);
    case 'mod_mdm_ip':
      return sdc.changeMdm(ip, ips)
        ? done('Successfully modified MDM IP addresses\n')
        : refused(`MDM ${ip} is not configured`);
    case 'remove_mdm':
      return (await sdc.removeMdm(ip))
        ? done('Successfully removed MDM\n')
        : refused(`MDM ${ip} is not configured`);
    default:
      return refused(`Unknown command ${command}`);
  }
}
