// Stands for the package string-width in the bundle: what yargs measures there are help texts of our own, in ASCII.
export default function plainWidth(text) {
  return text.length;
}
