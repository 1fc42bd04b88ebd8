import js from '@eslint/js';
import tseslint from 'typescript-eslint';

const sizes = {
  'max-lines': ['error', { max: 350, skipBlankLines: true, skipComments: true }],
  'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
  complexity: ['error', 12],
  'max-depth': ['error', 3],
  'max-params': ['error', 4],
};

const wallTime = {
  read: "MemberExpression[object.name='Date'][property.name='now'], NewExpression[callee.name='Date'][arguments.length=0]",
  // What a clock's now() answers may become a text or a field of a record, never a term, a bound or a variable to reckon with.
  reckoned: [
    'BinaryExpression[operator=/^(-|\\+|<|>|<=|>=)$/] > CallExpression',
    'VariableDeclarator > CallExpression',
    'AssignmentExpression > CallExpression',
  ]
    .flatMap((call) => [
      `${call}[callee.property.name='now'][callee.object.name!='performance']`,
      `${call}[callee.name='now']`,
    ])
    .concat(
      "BinaryExpression[operator=/^(-|<|>|<=|>=)$/] > CallExpression[callee.object.name='Date'][callee.property.name='parse']",
    )
    .join(', '),
};
/** Fields are written out: a literal spread into another saves a line and costs the reader more. */
const spreadLiteral = {
  selector: 'ObjectExpression > SpreadElement > ObjectExpression',
  message: 'Write the fields out instead of spreading a literal.',
};
/** Rule 17: durations come from a clock that cannot be set. */
const durations = [
  {
    selector: wallTime.read,
    message: 'Wall time comes from the clock that is handed in, for people and records only.',
  },
  {
    selector: wallTime.reckoned,
    message: 'Durations and ages come from elapsed(), which nobody can set; now() is for people and records.',
  },
];

/** A value that is written down in the source, at the top of a module. */
const constants = ['Program', 'ExportNamedDeclaration'].flatMap((parent) => {
  const named = `${parent} > VariableDeclaration[kind='const'] > VariableDeclarator[id.name=/^[a-z]/]`;
  const written = '/^(Literal|TemplateLiteral|ArrayExpression|UnaryExpression|BinaryExpression)$/';
  return [
    `${named}[init.type=${written}]`,
    `${named}[init.type=/^TS(As|Satisfies)Expression$/][init.expression.type=${written}]`,
  ].map((selector) => ({ selector, message: 'A constant of the module is written LIKE_THIS.' }));
});

/** A state follows on another by the functions of host-volume.ts; only the journal takes an entry as it stands somewhere. */
const entriesByHand = {
  selector: "ImportSpecifier[imported.name='recordedVolume']",
  message: 'Entries are made by the transitions in volumes/host-volume.ts.',
};
/** Use cases and what they stand on serve any front end. The name of the program, and advice for its plugin, may be said. */
const wordsOfDocker = [
  'Identifier[name=/docker|podman|swarm|moby|mountid/i]',
  'PrivateIdentifier[name=/docker|podman|swarm|moby|mountid/i]',
  'Literal[value=/\\b(docker(?!-volume-scaleio| plugin)|podman|swarm|engine|mount ids?)\\b/i]',
  'TemplateElement[value.raw=/\\b(docker(?!-volume-scaleio| plugin)|podman|swarm|engine|mount ids?)\\b/i]',
].map((selector) => ({ selector, message: "Docker's words are spoken in src/docker/ alone." }));

export default tseslint.config(
  { ignores: ['dist/', 'coverage/', 'node_modules/', '.cache/', '*.cjs', 'eslint.config.js'] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      ...sizes,
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/return-await': ['error', 'in-try-catch'],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      'no-empty': ['error', { allowEmptyCatch: false }],
      'no-duplicate-imports': 'error',
      'no-restricted-syntax': ['error', spreadLiteral],
      'no-warning-comments': ['error', { terms: ['todo', 'fixme', 'xxx'] }],
    },
  },
  {
    files: ['{src,simulator,lab,plugin}/**/*.ts'],
    ignores: ['**/test/**'],
    rules: { 'no-restricted-syntax': ['error', spreadLiteral, ...constants] },
  },
  {
    files: ['{src,simulator/src}/**/*.ts'],
    rules: { 'no-restricted-syntax': ['error', spreadLiteral, ...constants, ...durations] },
  },
  {
    files: ['src/docker/**/*.ts'],
    rules: { 'no-restricted-syntax': ['error', spreadLiteral, ...constants, ...durations, entriesByHand] },
  },
  {
    files: ['src/{array,attach,volumes,gateway,sdc,filesystem,journal,device-users}/**/*.ts'],
    rules: {
      'no-restricted-syntax': ['error', spreadLiteral, ...constants, ...durations, ...wordsOfDocker],
    },
  },
  {
    files: ['src/volumes/**/*.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        spreadLiteral,
        ...constants,
        ...durations,
        ...wordsOfDocker,
        entriesByHand,
      ],
    },
  },
  {
    // Where wall time is what is meant: the clock itself; a gateway's clock held against ours; records of earlier lives; the
    // simulated array's own dates and what moves in it, which outlive its program.
    files: [
      'src/host/clock.ts',
      'src/gateway/gateway-view.ts',
      'src/journal/fence-log.ts',
      'simulator/src/simulator.ts',
      'simulator/src/mdm/*.ts',
    ],
    rules: { 'no-restricted-syntax': ['error', spreadLiteral, ...constants] },
  },
  {
    // Scripts of a browser, which TypeScript checks with the names that browsers have. What comes from JSON is the steward's own.
    files: ['src/steward/page/browser/*.js'],
    rules: {
      'no-undef': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
    },
  },
  {
    // A product of its own: it is used through what its package.json exports.
    files: ['{src,lab,test,plugin}/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: '/simulator/(src|test)/',
              message: 'The simulator is used as the package scaleio-simulator.',
            },
          ],
        },
      ],
    },
  },
  {
    files: ['{test,lab,simulator/test}/**/*.ts'],
    rules: {
      'max-lines': ['error', { max: 500, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': 'off',
      complexity: 'off',
    },
  },
);
