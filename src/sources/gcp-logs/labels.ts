/** The value of the labels `log`, `service` and `method`. */
export function nameLabel(text: string): string {
  return /^[A-Za-z0-9_./-]{1,128}$/.test(text) ? text : 'other';
}
