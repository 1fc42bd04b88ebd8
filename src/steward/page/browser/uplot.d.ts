/** The page has it under this name, from its npm package (borrowed-files.ts). */
export { default } from 'uplot';
