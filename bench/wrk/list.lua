-- All ConfigMaps of the namespace.
wrk.path = "/api/v1/namespaces/default/configmaps"
