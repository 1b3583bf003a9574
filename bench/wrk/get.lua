-- One ConfigMap of 1 KiB, again and again.
wrk.path = "/api/v1/namespaces/default/configmaps/listed-0"
