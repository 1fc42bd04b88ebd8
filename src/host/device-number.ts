/** major:minor, as mountinfo writes it, of the number that stat gives for a device [glibc sys/sysmacros.h]. */
export function deviceNumber(rdev: bigint): string {
  const major = ((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & 0xfffff000n);
  const minor = (rdev & 0xffn) | ((rdev >> 12n) & 0xffffff00n);
  return `${major.toString()}:${minor.toString()}`;
}
