/** What deploy/install.yaml calls the objects that Pullguard reads and writes of its own; its RBAC names the same. */
export const INSTALLED_NAMES = Object.freeze({
  service: 'pullguard',
  secret: 'pullguard-tls',
  webhookConfiguration: 'pullguard',
  policyConfigMap: 'pullguard-policy',
});
