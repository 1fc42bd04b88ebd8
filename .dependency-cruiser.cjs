/** The arrows of docs/architecture.md as rules. */

/** What everybody may use: words, ports, units and errors, which lean on nothing. */
const GROUND = ['^src/array/', '^src/attach/', '^src/runtime/', '^src/units/', '^src/errors\\.ts$'];
const IO =
  '^(node:)?(fs|net|http|https|child_process|os|dgram|tls|worker_threads)(/|$)|node_modules/(fastify|execa|pino|commander)/';
const STEWARD = '^src/steward/(capacity/|[^/]+\\.ts$)';

/** Files of `from` import of src only themselves, the ground and `also`. */
const only = (name, from, also, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from },
  to: { path: '^src/', pathNot: [from, ...GROUND, ...also] },
});

/** Nobody but `owners` imports what `to` matches. */
const reserved = (name, owners, to, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { path: '^src/', pathNot: owners },
  to: { path: to },
});

/** Files of `from` import nothing that `to` matches. */
const never = (name, from, to, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from },
  to: { path: to },
});

const withoutIo = (name, from) => never(name, from, IO);

/** A folder of the simulator, and those below it; the wire's words and the errors are everybody's. */
const simulatorFloor = (folder, below, comment) => ({
  name: `simulator-${folder}`,
  comment,
  severity: 'error',
  from: { path: `^simulator/src/${folder}/` },
  to: {
    path: '^simulator/',
    pathNot: [`${folder}/`, ...below, '(sdc-protocol|simulator-error)\\.ts$'].map(
      (one) => `^simulator/src/${one}`,
    ),
  },
});
module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'words-lean-on-nothing',
      comment: 'everybody imports the words, and they import nobody',
      severity: 'error',
      from: { path: '^src/(array|attach|runtime|units)/|^src/errors\\.ts$' },
      to: { path: '^src/', pathNot: ['^src/(array|attach|runtime|units)/', '^src/errors\\.ts$'] },
    },
    only('core-stands-alone', '^src/volumes/', [], 'the core knows ports and nothing that implements them'),
    withoutIo('core-has-no-io', '^src/volumes/'),
    only('gateway-hides-the-array', '^src/gateway/', []),
    never(
      'wire-lies-below-objects',
      '^src/gateway/wire/',
      '^src/gateway/(objects/|[^/]+\\.ts$)',
      'the lower storey carries requests and knows no object of the array',
    ),
    only('sdc-hides-the-client', '^src/sdc/', ['^src/host/', '^src/join/ports\\.ts$']),
    only('filesystem-hides-the-kernel', '^src/filesystem/', [
      '^src/host/',
      '^src/volumes/(ports|volume|options/label)\\.ts$',
    ]),
    only('device-users-hide-the-kernel', '^src/device-users/', ['^src/host/', '^src/volumes/ports\\.ts$']),
    only('journal-hides-the-disk', '^src/journal/', [
      '^src/host/',
      '^src/volumes/(ports|host-volume|host-volume-states|volume|options/label|takeover/fence-record)\\.ts$',
    ]),
    only(
      'operator-door-is-thin',
      '^src/operator/',
      ['^src/volumes/(ports|operator-actions|action-schemas)\\.ts$', '^src/host/connections\\.ts$'],
      'it carries what a person asks to the use cases, and knows only their words',
    ),
    only(
      'join-knows-no-implementation',
      '^src/join/',
      ['^src/volumes/ports\\.ts$'],
      'bringing a host into the storage works over ports of its own',
    ),
    only('docker-is-thin', '^src/docker/', ['^src/volumes/', '^src/host/files\\.ts$']),
    only(
      'doctor-knows-no-implementation',
      '^src/doctor/',
      [
        '^src/(join|host)/',
        '^src/steward/ports\\.ts$',
        '^src/volumes/(ports|volume|naming|trash/trash-held)\\.ts$',
      ],
      'what it asks is handed in, so that each judgement can be tested alone',
    ),
    only(
      'steward-stands-beside-the-core',
      STEWARD,
      ['^src/volumes/(volume|naming|trash/trash-held)\\.ts$'],
      'it knows ports, as the core does, and of the core only the names of volumes and what the trash holds',
    ),
    withoutIo('steward-has-no-io', STEWARD),
    only(
      'cleanup-knows-no-implementation',
      '^src/steward/cleanup/',
      [
        '^src/steward/(ports|audit|policy)\\.ts$',
        '^src/volumes/(naming|upkeep/anonymous-names|copies/(snapshot|view)-names|takeover/failover-marker)\\.ts$',
        '^src/volumes/trash/(trash-names|list-trash|trash-held|erasure|remove-from-array)\\.ts$',
      ],
      "of the steward it knows the policy and the audit, of the core the volumes' names, and when what was removed may be erased",
    ),
    withoutIo('cleanup-has-no-io', '^src/steward/cleanup/'),
    only(
      'page-shows-and-touches-nothing',
      '^src/steward/page/',
      [
        '^src/steward/(ports|steward|capacity/(assessment|progress))\\.ts$',
        '^src/volumes/(naming|copies/family-snapshots)\\.ts$',
        '^src/host/connections\\.ts$',
      ],
      'it reads what the steward knows and what its ports tell, and can change neither',
    ),
    only(
      'api-is-thin',
      '^src/steward/api/',
      [
        '^src/steward/(ports|steward|audit|policy-file)\\.ts$',
        '^src/steward/page/(pool-view|page-data)\\.ts$',
        '^src/volumes/(naming|operator-actions|action-schemas|life/lookup|copies/snapshot-names|takeover/holders|trash/(list-trash|trash-names)|options/(option-readers|option-names))\\.ts$',
        '^src/host/(connections|listener|certificate-files)\\.ts$',
      ],
      'it lets in who may, and hands on what is asked for to the use cases',
    ),
    only('webhook-hides-http', '^src/steward/webhook/', ['^src/steward/ports\\.ts$']),
    only(
      'metrics-lean-on-the-core',
      '^src/observe/metrics/',
      [
        '^src/docker/(volume-driver|driver-call)\\.ts$',
        '^src/volumes/',
        '^src/steward/(ports|steward|capacity/(pool-watch|progress))\\.ts$',
        '^src/host/connections\\.ts$',
      ],
      'what is measured does not know it',
    ),
    only('logging-is-a-leaf', '^src/observe/logging/', []),
    only('host-is-a-leaf', '^src/host/', []),
    only(
      'config-is-a-leaf',
      '^src/config/',
      ['^src/host/', '^src/volumes/options/(class-options|classes|option|option-table)\\.ts$'],
      "an operator's settings for new volumes are written as the options of a volume are",
    ),
    never(
      'product-knows-no-workshop',
      '^src/',
      '^(lab|test|plugin)/',
      'what is installed leans on nothing that only tries, builds or tests it',
    ),
    never('plugin-is-built-from-the-product', '^plugin/', '^(lab|test)/'),
    never('lab-lies-below-tests', '^lab/', '^test/', 'tests stand on the lab, and the lab on none of them'),
    never(
      'hosts-lie-below-the-lab',
      '^lab/hosts/',
      '^lab/(?!hosts/|secrets/)',
      'machines, networks and the array; what is done with them is above',
    ),
    reserved('only-metrics-uses-prom-client', '^src/observe/metrics/', 'node_modules/prom-client/'),
    reserved(
      'only-run-starts-processes',
      '^src/host/(run|delayed-run)\\.ts$',
      'node_modules/execa/|^(node:)?child_process$',
    ),
    never(
      'nobody-uses-undici',
      '^src/',
      'node_modules/undici/',
      'its WebAssembly parser and all it brings take 20 MiB on every host, where node:http is there anyway',
    ),
    {
      name: 'commands-are-loaded-when-asked-for',
      comment: 'else the plugin carries them all for months, and starts later',
      severity: 'error',
      from: { path: '^src/cli/command-(line|groups)\\.ts$' },
      to: {
        path: '^src/apps/|^src/cli/(serve|config|volume|doctor|steward|simulate|completion)\\.ts$',
        dynamic: false,
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'the-plugin-carries-no-steward',
      severity: 'error',
      from: { path: '^src/cli/serve\\.ts$' },
      to: { path: '^src/steward/|^src/doctor/|^src/cli/(volume|steward)', reachable: true },
    },
    reserved('nobody-uses-the-simulator', '^src/cli/simulate\\.ts$', '^simulator/src/'),
    reserved('nobody-imports-a-root', '^src/main\\.ts$|^src/(apps|cli)/', '^src/(apps/|main\\.ts$)'),
    never(
      'simulator-stands-alone',
      '^simulator/src/',
      '^(src|lab|test|plugin)/',
      'it shares no code with the plugin, so a shared mistake cannot cancel out',
    ),
    {
      name: 'simulator-declares-what-it-uses',
      comment: 'what a package imports stands in its own package.json, or it works in this repository only',
      severity: 'error',
      from: { path: '^simulator/src/' },
      // Its own package.json it asks for by name: that holds packed, too, where the sources lie elsewhere.
      to: { dependencyTypesNot: ['npm', 'core', 'local'], pathNot: '^simulator/package\\.json$' },
    },
    simulatorFloor('mdm', [], 'the array on paper: it knows no clock, no file and no wire'),
    simulatorFloor('store', ['mdm/'], ''),
    simulatorFloor('faults', [], 'what is to go wrong, for others to ask'),
    simulatorFloor(
      'sdc',
      [],
      'the other end of the wire: of the array it knows the protocol, as another machine would',
    ),
    simulatorFloor('hosts', ['mdm/', 'store/', 'sdc/fence\\.ts$'], ''),
    simulatorFloor('array', ['mdm/', 'store/', 'hosts/', 'settings\\.ts$'], ''),
    simulatorFloor('gateway', ['mdm/', 'hosts/', 'array/', 'faults/', '(listening|settings)\\.ts$'], ''),
    simulatorFloor('controls', ['mdm/', 'array/', 'faults/', 'gateway/'], ''),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'node', 'default'],
    },
  },
};
