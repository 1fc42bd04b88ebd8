import { JoinDiagnosis, type DiagnosisParts } from '../join/diagnosis.ts';
import { judgeMdmAddresses } from '../join/mdm-addresses.ts';
import { causing, ok, problem, warning, type Finding } from './finding.ts';
import type { Check } from './run-checks.ts';

const SDC = 'SDC of this host';
const MDM = 'MDM addresses';
/** Steps of a join that say what the check of the gateway, or of the SDC's software, says itself. */
const GATEWAY_STEPS: readonly string[] = ['gateway-away', 'login-refused', 'wrong-array'];
const SOFTWARE_STEPS: readonly string[] = ['sdc-missing', 'sdc-stopped', 'sdc-failing'];

/** What can be said about the SDC from this host alone: module, drv_cfg, GUID. */
export function localSdcCheck(sdc: DiagnosisParts['sdc']): Check {
  const name = 'SDC software';
  return {
    name,
    run: async (signal) => {
      const guid = await sdc.currentGuid(signal);
      const mdms = await sdc.configuredMdms(signal);
      if (mdms === undefined)
        return [ok(name, `GUID ${guid} as configured; drv_cfg is not here and not needed`)];
      const connected = mdms.filter(({ systemId }) => systemId !== null).length;
      const says = `GUID ${guid}, connected to ${connected} of ${mdms.length} configured arrays`;
      return connected === 0
        ? [{ ...problem(name, says, 'see the SDC and the MDM addresses below'), follows: 'sdc' }]
        : [ok(name, says)];
    },
  };
}

/** Whether the array knows, lets in and hears this host's SDC: the join's own judgement. */
export function joinCheck(parts: DiagnosisParts): Check {
  return {
    name: SDC,
    run: async (signal) => {
      const { state } = await new JoinDiagnosis(parts).diagnose(true, signal);
      if (state.step === 'joined') return [ok(SDC, state.reason)];
      const found = problem(SDC, `${state.step}: ${state.reason}`, state.remedy || 'see docs/node-join.md');
      if (GATEWAY_STEPS.includes(state.step)) return [{ ...found, follows: 'gateway' }];
      return [SOFTWARE_STEPS.includes(state.step) ? { ...found, follows: 'sdc' } : causing('sdc', found)];
    },
  };
}

/** This host's MDM addresses against the array's own. */
export function mdmCheck({ sdc, array }: DiagnosisParts): Check {
  return {
    name: MDM,
    run: async (signal) => {
      const [mdms, system] = await Promise.all([sdc.configuredMdms(signal), array.describeSystem(signal)]);
      if (mdms === undefined) return [ok(MDM, 'not looked at: drv_cfg is not here and not needed')];
      const { id: systemId, mdmAddresses: addresses } = system;
      return [judged(judgeMdmAddresses(mdms, { systemId, addresses }), addresses.join(','))];
    },
  };
}

function judged(judgement: ReturnType<typeof judgeMdmAddresses>, wanted: string): Finding {
  switch (judgement.verdict) {
    case 'complete':
      return ok(MDM, `all of the array's are configured: ${wanted}`);
    case 'partial':
      return warning(
        MDM,
        `the SDC lacks ${judgement.lacking.join(',')}; it loses the array when the others are away`,
        `drv_cfg --mod_mdm_ip --ip ${judgement.known} --new_mdm_ip ${judgement.all.join(',')} (with --file for the next boot)`,
      );
    case 'missing':
      return problem(
        MDM,
        `none of the array's (${wanted}) is configured`,
        `drv_cfg --add_mdm --ip ${wanted} (with --file for the next boot)`,
      );
    case 'unclear':
      return problem(
        MDM,
        `the SDC is configured with ${judgement.configured.join(',')} and reaches none of them; the array says ${wanted}`,
        `correct them with drv_cfg --mod_mdm_ip, or check the network`,
      );
  }
}
