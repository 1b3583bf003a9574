// A program of somebody else's, on a client library that knows Kubernetes and nothing of knarr: lists, watches by an informer, creates,
// patches, execs. Each line of output is a step that went well; anything else ends it with an error.
import assert from 'node:assert/strict';
import { PassThrough, Writable } from 'node:stream';
import * as k8s from '@kubernetes/client-node';

const config = new k8s.KubeConfig();
config.loadFromDefault();
const core = config.makeApiClient(k8s.CoreV1Api);
const apps = config.makeApiClient(k8s.AppsV1Api);
const version = await config.makeApiClient(k8s.VersionApi).getCode();
const namespace = 'client-node';
const image = process.argv[2];

const done = (step) => console.log(`ok ${step}`);

// Waits for a promise, but not for ever: what should come has a minute to.
const within = (promise, what) =>
	Promise.race([promise, new Promise((_, reject) => setTimeout(() => reject(new Error(`${what}: not within a minute`)), 60000).unref())]);

assert.equal(version.major, '1');
done('version');

await core.createNamespace({ body: { metadata: { name: namespace } } });
assert.equal((await core.readNamespace({ name: namespace })).status.phase, 'Active');
done('create');

// The informer sees what was there and what comes, changes and goes.
const seen = { add: new Map(), update: new Map(), delete: new Map() };
const waiting = [];
const informer = k8s.makeInformer(config, `/api/v1/namespaces/${namespace}/configmaps`, () => core.listNamespacedConfigMap({ namespace }));
for (const event of Object.keys(seen))
	informer.on(event, (object) => {
		seen[event].set(object.metadata.name, object);
		for (const wake of waiting.splice(0)) wake();
	});
let stopping = false; // a watch that we end ourselves ends with an error, too
informer.on('error', (error) => {
	if (!stopping) throw error;
});
const until = async (holds) => {
	while (!holds()) await new Promise((resolve) => waiting.push(resolve));
};
const map = (name, data) => ({ metadata: { name }, data });
await core.createNamespacedConfigMap({ namespace, body: map('before', { a: '1' }) });
await informer.start();
await within(until(() => seen.add.has('before')), 'the informer lists');
await core.createNamespacedConfigMap({ namespace, body: map('after', { a: '1' }) });
await within(until(() => seen.add.has('after')), 'the informer sees an addition');
done('informer lists and watches');

await core.patchNamespacedConfigMap(
	{ namespace, name: 'after', body: [{ op: 'replace', path: '/data/a', value: '2' }] },
	k8s.setHeaderOptions('Content-Type', k8s.PatchStrategy.JsonPatch),
);
await within(until(() => seen.update.get('after')?.data.a === '2'), 'the informer sees a patch');
await core.patchNamespacedConfigMap(
	{ namespace, name: 'after', body: { data: { b: '3' } } },
	k8s.setHeaderOptions('Content-Type', k8s.PatchStrategy.MergePatch),
);
await within(until(() => seen.update.get('after')?.data.b === '3'), 'the informer sees a merge patch');
done('patch');

await apps.patchNamespacedDeployment(
	{
		namespace,
		name: 'web',
		fieldManager: 'client-node',
		force: true,
		body: {
			apiVersion: 'apps/v1',
			kind: 'Deployment',
			metadata: { name: 'web' },
			spec: {
				replicas: 1,
				selector: { matchLabels: { app: 'web' } },
				template: { metadata: { labels: { app: 'web' } }, spec: { terminationGracePeriodSeconds: 1, containers: [{ name: 'web', image }] } },
			},
		},
	},
	k8s.setHeaderOptions('Content-Type', k8s.PatchStrategy.ServerSideApply),
);
const deployment = await apps.readNamespacedDeployment({ namespace, name: 'web' });
assert.equal(deployment.metadata.managedFields[0].operation, 'Apply');
done('server-side apply');

const pod = await within(
	(async () => {
		for (;;) {
			const { items } = await core.listNamespacedPod({ namespace, labelSelector: 'app=web' });
			if (items[0]?.status.conditions?.some((c) => c.type === 'Ready' && c.status === 'True')) return items[0];
			await new Promise((resolve) => setTimeout(resolve, 100));
		}
	})(),
	'the pod is ready',
);
done('list');

let output = '';
const sink = new Writable({
	write(chunk, _, next) {
		output += chunk;
		next();
	},
});
const status = await within(
	new Promise((resolve, reject) => {
		new k8s.Exec(config).exec(namespace, pod.metadata.name, 'web', ['sh', '-c', 'echo inside; exit 3'], sink, sink, null, false, resolve).catch(reject);
	}),
	'exec',
);
assert.equal(output, 'inside\n');
assert.equal(status.details.causes[0].message, '3');
done('exec');

// Over WebSocket channels; the library takes the port number off each of them.
const request = new PassThrough();
let answer = '';
let answerIs;
const answered = new Promise((resolve) => (answerIs = resolve));
const answers = new Writable({
	write(chunk, _, next) {
		answer += chunk;
		if (answer.includes('1\n')) answerIs();
		next();
	},
});
const forwarded = await new k8s.PortForward(config).portForward(namespace, pod.metadata.name, [8000], answers, null, request);
request.write('GET /ping HTTP/1.0\r\n\r\n');
await within(answered, 'port-forward');
assert.match(answer, /^HTTP\/1\.[01] 200 OK/);
(typeof forwarded === 'function' ? forwarded() : forwarded)?.close();
done('port-forward');

await assert.rejects(core.readNamespacedPod({ namespace, name: 'nothing' }), (error) => error.code === 404 && JSON.parse(error.body).reason === 'NotFound');
done('errors');

await core.deleteNamespacedConfigMap({ namespace, name: 'after' });
await within(until(() => seen.delete.has('after')), 'the informer sees a deletion');
stopping = true;
await informer.stop();
await core.deleteNamespace({ name: namespace });
done('delete');
process.exit(0);
