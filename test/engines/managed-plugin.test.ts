import { describeManagedPlugin } from '../e2e/managed-plugin-suite.ts';

describeManagedPlugin('26.1');
