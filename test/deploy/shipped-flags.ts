import { at, readManifests } from './manifests.ts';

/** The flags that Node has in deploy/install.yaml: what is measured is what is installed. */
export async function readShippedFlags(): Promise<readonly string[]> {
  const deployment = (await readManifests()).find(({ kind }) => kind === 'Deployment');
  const variables = at(deployment, 'spec', 'template', 'spec', 'containers', 0, 'env') as readonly {
    readonly name: string;
    readonly value: string;
  }[];
  return variables.filter(({ name }) => name === 'NODE_OPTIONS').flatMap(({ value }) => value.split(' '));
}
