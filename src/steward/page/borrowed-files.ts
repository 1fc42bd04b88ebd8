/** Files of the page that npm packages bring, by their names on the page. */
export const BORROWED_FILES: ReadonlyMap<string, string> = new Map([
  ['uplot.js', 'uplot/dist/uPlot.esm.js'],
  ['uplot.css', 'uplot/dist/uPlot.min.css'],
]);
