-- All pods of the namespace, as kubectl get asks for them.
wrk.path = "/api/v1/namespaces/default/pods"
wrk.headers["Accept"] = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
