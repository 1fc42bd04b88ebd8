import { describeManagedPlugin } from './managed-plugin-suite.ts';

describeManagedPlugin('20.10');
