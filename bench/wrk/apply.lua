-- A Deployment applied by the server, another image each time, over the one that is there; nothing is stored.
local n = 0
wrk.method = "PATCH"
wrk.headers["Content-Type"] = "application/apply-patch+yaml"
request = function()
	n = n + 1
	return wrk.format(nil, "/apis/apps/v1/namespaces/default/deployments/applied?fieldManager=bench&dryRun=All", nil,
		'{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"applied","labels":{"app":"web"}},"spec":{"replicas":0,' ..
		'"selector":{"matchLabels":{"app":"web"}},"template":{"metadata":{"labels":{"app":"web"}},"spec":{"containers":[{"name":"c",' ..
		'"image":"web:' .. n .. '","ports":[{"containerPort":80}],"env":[{"name":"A","value":"1"},{"name":"B","value":"2"}],' ..
		'"resources":{"requests":{"cpu":"100m","memory":"64Mi"}},"readinessProbe":{"httpGet":{"path":"/","port":80}}}]}}}}')
end
