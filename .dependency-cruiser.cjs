/** The arrows of docs/architecture.md as rules. */
const only = (name, from, pathNot, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from },
  to: { path: '^src/', pathNot },
});
module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    only(
      'core-stands-alone',
      '^src/volumes/',
      ['^src/volumes/', '^src/units/', '^src/errors\\.ts$'],
      'the core knows its ports and nothing that implements them',
    ),
    {
      name: 'core-has-no-io',
      severity: 'error',
      from: { path: '^src/volumes/' },
      to: {
        path: '^(node:)?(fs|net|http|https|child_process|os|dgram|tls|worker_threads)(/|$)|node_modules/(fastify|undici|execa|pino|commander)/',
      },
    },
    only(
      'gateway-hides-the-array',
      '^src/gateway/',
      [
        '^src/gateway/',
        '^src/volumes/(ports|volume)\\.ts$',
        '^src/(capacity|join)/ports\\.ts$',
        '^src/units/',
        '^src/errors\\.ts$',
      ],
      '',
    ),
    only(
      'steward-stands-beside-the-core',
      '^src/capacity/',
      ['^src/capacity/', '^src/volumes/(ports|volume|naming)\\.ts$', '^src/units/', '^src/errors\\.ts$'],
      'it knows ports, as the core does, and of the core only the words and names of volumes',
    ),
    {
      name: 'steward-has-no-io',
      severity: 'error',
      from: { path: '^src/capacity/' },
      to: {
        path: '^(node:)?(fs|net|http|https|child_process|os|dgram|tls|worker_threads)(/|$)|node_modules/(fastify|undici|execa|pino|commander)/',
      },
    },
    only(
      'webhook-hides-http',
      '^src/webhook/',
      ['^src/webhook/', '^src/capacity/ports\\.ts$', '^src/units/', '^src/errors\\.ts$'],
      '',
    ),
    only(
      'join-knows-no-implementation',
      '^src/join/',
      ['^src/join/', '^src/volumes/(ports|volume)\\.ts$', '^src/units/', '^src/errors\\.ts$'],
      'bringing a host into the storage works over ports of its own',
    ),
    only(
      'sdc-hides-the-client',
      '^src/sdc/',
      ['^src/sdc/', '^src/host/', '^src/volumes/(ports|volume)\\.ts$', '^src/units/', '^src/errors\\.ts$'],
      '',
    ),
    only(
      'filesystem-hides-the-kernel',
      '^src/filesystem/',
      [
        '^src/filesystem/',
        '^src/host/',
        '^src/volumes/(ports|volume)\\.ts$',
        '^src/units/',
        '^src/errors\\.ts$',
      ],
      '',
    ),
    only(
      'journal-hides-the-disk',
      '^src/journal/',
      [
        '^src/journal/',
        '^src/host/',
        '^src/volumes/(ports|volume)\\.ts$',
        '^src/units/',
        '^src/errors\\.ts$',
      ],
      '',
    ),
    only(
      'metrics-lean-on-the-core',
      '^src/metrics/',
      ['^src/metrics/', '^src/volumes/', '^src/units/', '^src/errors\\.ts$'],
      'what is measured does not know it',
    ),
    {
      name: 'only-metrics-uses-prom-client',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/metrics/' },
      to: { path: 'node_modules/prom-client/' },
    },
    only('logging-is-a-leaf', '^src/logging/', ['^src/logging/', '^src/volumes/ports\\.ts$'], ''),
    only('host-is-a-leaf', '^src/host/', ['^src/host/', '^src/errors\\.ts$'], ''),
    only(
      'docker-is-thin',
      '^src/docker/',
      ['^src/docker/', '^src/volumes/', '^src/units/', '^src/errors\\.ts$'],
      '',
    ),
    only(
      'config-is-a-leaf',
      '^src/config/',
      ['^src/config/', '^src/units/', '^src/errors\\.ts$', '^src/host/'],
      '',
    ),
    only(
      'simulator-stands-alone',
      '^src/simulator/',
      ['^src/simulator/'],
      'it shares no code with the plugin, so a shared mistake cannot cancel out',
    ),
    {
      name: 'nobody-uses-the-simulator',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(simulator/|cli/simulate\\.ts$)' },
      to: { path: '^src/simulator/' },
    },
    {
      name: 'only-run-starts-processes',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(host/run\\.ts$|simulator/)' },
      to: { path: 'node_modules/execa/|^(node:)?child_process$' },
    },
    {
      name: 'only-http-uses-undici',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/gateway/http\\.ts$' },
      to: { path: 'node_modules/undici/' },
    },
    {
      name: 'nobody-imports-the-root',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(main\\.ts|steward-app\\.ts|cli/)' },
      to: { path: '^src/(app|steward-app|main)\\.ts$' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.js'] },
  },
};
