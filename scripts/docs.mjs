// Writes what the program can tell about itself into README.md: commands, options, metrics.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { completeReadme } from '../dist/src/cli/readme.js';

const path = fileURLToPath(new URL('../README.md', import.meta.url));
writeFileSync(path, await completeReadme(readFileSync(path, 'utf8')));
