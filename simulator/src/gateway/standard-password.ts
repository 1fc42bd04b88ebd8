/** Of the user "admin" where no users are configured; the manual names it, so it is no secret. */
export const STANDARD_PASSWORD = 'Scaleio123';
