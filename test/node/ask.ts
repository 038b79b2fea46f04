import assert from 'node:assert/strict';
import { parseReference, type ImageReference } from '../../webhook/image/reference.ts';
import { parseRuntime } from '../../webhook/outcome/runtime.ts';
import type { Endpoint, EndpointPlan } from '../../webhook/node/endpoint.ts';
import { createPlanner } from '../../webhook/node/plan.ts';
import { EMPTY_SETUP, type NodeSetup } from '../../webhook/node/settings.ts';

export function referenceTo(image: string): ImageReference {
  const reference = parseReference(image);
  assert.ok(reference.ok, `${image} must parse`);
  return reference.value;
}

/** The plan of one runtime for one image, with only the settings that a test is about. */
export function planFor(image: string, runtime: string, setup: Partial<NodeSetup> = {}): EndpointPlan {
  const runtimes = parseRuntime(runtime);
  assert.ok(runtimes.ok);
  const [first] = runtimes.value;
  assert.ok(first !== undefined);
  return createPlanner({ ...EMPTY_SETUP, ...setup }).plan(referenceTo(image), first);
}

export function endpointsFor(image: string, runtime: string, setup: Partial<NodeSetup> = {}): readonly Endpoint[] {
  const plan = planFor(image, runtime, setup);
  assert.equal(plan.kind, 'endpoints', plan.kind === 'refused' ? plan.reason : '');
  return plan.kind === 'endpoints' ? plan.endpoints : [];
}

/** `https-then-http://reg:5000/v2 unverified`: what tables compare. */
export function summaryOf(endpoint: Endpoint): string {
  const verified = endpoint.tls.isVerified ? '' : ' unverified';
  return `${endpoint.scheme}://${endpoint.authority}${endpoint.pathPrefix}${verified}`;
}

export function summariesFor(image: string, runtime: string, setup: Partial<NodeSetup> = {}): readonly string[] {
  return endpointsFor(image, runtime, setup).map(summaryOf);
}

export function refusalFor(
  image: string,
  runtime: string,
  setup: Partial<NodeSetup> = {},
): EndpointPlan & { kind: 'refused' } {
  const plan = planFor(image, runtime, setup);
  assert.ok(plan.kind === 'refused', 'the plan must be refused');
  return plan;
}
