/** What the demo applies. See `fillIn` for what is filled in. */
export const MANIFEST_TEXT = `# 1. The registry speaks plain HTTP.
apiVersion: v1
kind: Pod
metadata: { name: http-undeclared }
spec:
  containers: [{ name: web, image: plain.test:PORT/web:1.0 }]
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: http-declared }
spec:
  selector: { matchLabels: { app: http-declared } }
  template:
    metadata: { labels: { app: http-declared } }
    spec:
      containers: [{ name: web, image: intranet.test:PORT/web:1.0 }]
---
# 2. The registry's certificate.
apiVersion: v1
kind: Pod
metadata: { name: ca-unknown }
spec:
  containers: [{ name: web, image: stranger.test:PORT/web:1.0 }]
---
apiVersion: v1
kind: Pod
metadata: { name: ca-declared }
spec:
  containers: [{ name: web, image: corp.test:PORT/web:1.0 }]
---
apiVersion: v1
kind: Pod
metadata: { name: wrong-name }
spec:
  containers: [{ name: web, image: alias.test:PORT/web:1.0 }]
---
apiVersion: v1
kind: Pod
metadata: { name: expired }
spec:
  containers: [{ name: web, image: expired.test:PORT/web:1.0 }]
---
apiVersion: v1
kind: Pod
metadata: { name: client-certificate }
spec:
  containers: [{ name: web, image: mutual.test:PORT/web:1.0 }]
---
# 3. Credentials: first the pull secrets.
apiVersion: v1
kind: Secret
metadata: { name: right-login }
type: kubernetes.io/dockerconfigjson
stringData:
  .dockerconfigjson: |
    {"auths": {"private.test:PORT": {"username": "demo", "password": "right"},
               "basic.test:PORT": {"username": "demo", "password": "right"}}}
---
apiVersion: v1
kind: Secret
metadata: { name: old-login }
type: kubernetes.io/dockerconfigjson
stringData:
  .dockerconfigjson: |
    {"auths": {"private.test:PORT": {"username": "demo", "password": "of last year"},
               "basic.test:PORT": {"username": "demo", "password": "of last year"}}}
---
apiVersion: v1
kind: Secret
metadata: { name: login-without-port }
type: kubernetes.io/dockerconfigjson
stringData:
  .dockerconfigjson: |
    {"auths": {"private.test": {"username": "demo", "password": "right"}}}
---
apiVersion: v1
kind: Secret
metadata: { name: broken-login }
type: kubernetes.io/dockerconfigjson
stringData:
  .dockerconfigjson: |
    {"auths": {"private.test:PORT": {"auth": "demo:right"}}}
---
apiVersion: v1
kind: Pod
metadata: { name: no-login }
spec:
  containers: [{ name: web, image: private.test:PORT/web:1.0 }]
---
apiVersion: v1
kind: Pod
metadata: { name: wrong-login }
spec:
  imagePullSecrets: [{ name: old-login }]
  containers: [{ name: web, image: private.test:PORT/web:1.0 }]
---
apiVersion: v1
kind: Pod
metadata: { name: login-lacks-port }
spec:
  imagePullSecrets: [{ name: login-without-port }]
  containers: [{ name: web, image: private.test:PORT/web:1.0 }]
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: login-to-come }
spec:
  selector: { matchLabels: { app: login-to-come } }
  template:
    metadata: { labels: { app: login-to-come } }
    spec:
      imagePullSecrets: [{ name: not-yet-there }]
      containers: [{ name: web, image: private.test:PORT/web:1.0 }]
---
apiVersion: v1
kind: Pod
metadata: { name: right-login }
spec:
  imagePullSecrets: [{ name: right-login }]
  containers: [{ name: web, image: private.test:PORT/web:1.0 }]
---
apiVersion: v1
kind: Pod
metadata: { name: basic-no-login }
spec:
  containers: [{ name: web, image: basic.test:PORT/web:1.0 }]
---
apiVersion: v1
kind: Pod
metadata: { name: basic-wrong-login }
spec:
  imagePullSecrets: [{ name: old-login }]
  containers: [{ name: web, image: basic.test:PORT/web:1.0 }]
---
apiVersion: v1
kind: Pod
metadata: { name: basic-right-login }
spec:
  imagePullSecrets: [{ name: right-login }]
  containers: [{ name: web, image: basic.test:PORT/web:1.0 }]
---
apiVersion: v1
kind: Pod
metadata: { name: broken-secret }
spec:
  imagePullSecrets: [{ name: broken-login }]
  containers: [{ name: web, image: corp.test:PORT/web:1.0 }]
---
# 4. Damaged images.
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: layer-gone }
spec:
  selector: { matchLabels: { app: layer-gone } }
  template:
    metadata: { labels: { app: layer-gone } }
    spec:
      initContainers: [{ name: migrate, image: corp.test:PORT/web:1.0 }]
      containers: [{ name: cart, image: corp.test:PORT/cart:1.0 }]
---
apiVersion: batch/v1
kind: CronJob
metadata: { name: config-changed }
spec:
  schedule: "0 3 * * *"
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers: [{ name: stock, image: corp.test:PORT/stock:1.0 }]
---
# 5. Pulls that would take too long.
apiVersion: apps/v1
kind: Deployment
metadata: { name: too-large }
spec:
  selector: { matchLabels: { app: too-large } }
  template:
    metadata: { labels: { app: too-large } }
    spec:
      containers: [{ name: model, image: slow.test:PORT/model:1.0 }]
---
apiVersion: batch/v1
kind: Job
metadata: { name: large-with-time }
spec:
  activeDeadlineSeconds: 7200
  template:
    spec:
      restartPolicy: Never
      containers: [{ name: model, image: slow.test:PORT/model:1.0 }]
---
apiVersion: apps/v1
kind: DaemonSet
metadata: { name: throttled }
spec:
  selector: { matchLabels: { app: throttled } }
  template:
    metadata: { labels: { app: throttled } }
    spec:
      containers: [{ name: web, image: busy.test:PORT/web:1.0 }]
---
# 6. Images that do not exist.
apiVersion: v1
kind: Pod
metadata: { name: no-such-tag }
spec:
  containers: [{ name: web, image: corp.test:PORT/web:2.0 }]
---
apiVersion: v1
kind: Pod
metadata: { name: no-such-repository }
spec:
  containers: [{ name: web, image: corp.test:PORT/wbe:1.0 }]
---
apiVersion: v1
kind: Pod
metadata: { name: no-such-digest }
spec:
  containers:
    - name: web
      image: corp.test:PORT/web@sha256:4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945
---
apiVersion: v1
kind: Pod
metadata: { name: no-such-platform }
spec:
  containers: [{ name: web, image: corp.test:PORT/tools:1.0 }]
---
apiVersion: v1
kind: Pod
metadata: { name: not-an-image }
spec:
  containers: [{ name: web, image: corp.test:PORT/chart:1.0 }]
---
apiVersion: v1
kind: Pod
metadata: { name: bad-name }
spec:
  containers: [{ name: web, image: corp.test:PORT/Web:1.0 }]
`;
