// Writes docs/holdout.schema.json and docs/STEPS.md from the schemas and steps in dist/. `npm run docs` builds first.
import { writeFileSync } from 'node:fs';
import { pipelineJsonSchema, stepsText } from '../dist/cli/reference.js';

const place = (name) => new URL(`../docs/${name}`, import.meta.url);
writeFileSync(place('holdout.schema.json'), pipelineJsonSchema());
writeFileSync(place('STEPS.md'), stepsText());
