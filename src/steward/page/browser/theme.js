/*
 * The theme that the viewer chose, kept by the browser. A script of its own in the head, so that the page does not appear in the
 * other one first.
 */
(() => {
  const key = 'theme';
  const root = document.documentElement;

  /** @param {string} theme */
  const show = (theme) => {
    if (theme === '') delete root.dataset['theme'];
    else root.dataset['theme'] = theme;
  };

  show(localStorage.getItem(key) ?? '');
  document.addEventListener('DOMContentLoaded', () => {
    const select = document.querySelector('#theme');
    if (!(select instanceof HTMLSelectElement)) return;
    select.value = localStorage.getItem(key) ?? '';
    select.addEventListener('change', () => {
      localStorage.setItem(key, select.value);
      show(select.value);
    });
  });
})();
