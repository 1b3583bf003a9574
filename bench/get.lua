-- One Namespace, again and again.
wrk.path = "/api/v1/namespaces/default"
