# shellcheck shell=sh disable=SC2086,SC2154
# Into containers: logs, exec, attach, cp, port-forward, proxy, debug; and pods' ends.
says '^pod/talk created$' $K run talk --image=registry.local/web:1 --restart=Never --command -- sh -c 'echo one; echo two; echo bad >&2; sleep 1000'
says 'condition met' $K wait --for=condition=Ready pod/talk --timeout=30s
says_in 10 '^two$' $K logs talk
says '^(two|bad)$' $K logs talk --tail=1
says '^[0-9]{4}-[0-9]{2}-[0-9]{2}T.*Z one$' $K logs talk --timestamps
says '^\[pod/talk/talk\] one$' $K logs -l run=talk --prefix
fails 'container nope is not valid for pod talk' $K logs talk -c nope
says '^uid=0' $K exec talk -- id
fails 'command terminated with exit code 3' $K exec talk -- sh -c 'exit 3'
fails 'pods "nope" not found' $K exec nope -- true
says '^out$' $K exec talk -c talk -- echo out
printf 'through and back\n' >"$F/sent"
says '^$' $K cp "$F/sent" talk:/tmp/sent
says '^through and back$' $K exec talk -- cat /tmp/sent
says '' $K cp talk:/tmp/sent "$F/fetched"
says '^through and back$' cat "$F/fetched"
says '^echoed$' sh -c "echo echoed | $K exec -i talk -- cat"
says 'pod "talk" deleted|deleted' $K delete pod talk --grace-period=1
says '^said$' $K run quick --image=registry.local/web:1 --restart=Never --rm -i --quiet --command -- sh -c 'sleep 1; echo said'
forward() { # ARGS...: what a forwarded port answers
	: >"$F/forward.log" # what the last one said, else
	"$@" >"$F/forward.log" 2>&1 &
	_pid=$!
	_tries=0
	until _port=$(sed -n 's/^Forwarding from 127.0.0.1:\([0-9]*\).*/\1/p' "$F/forward.log") && [ "$_port" ] || [ $_tries = 100 ]; do
		_tries=$((_tries + 1))
		sleep 0.1
	done
	curl -s -m 5 "http://127.0.0.1:$_port/ping" || :
	kill $_pid || :
	wait $_pid 2>/dev/null || :
	cat "$F/forward.log"
}
says '^1$' forward $K port-forward pod/alone :8000
says '^[12]$' forward $K port-forward deployment/web :8000
through_proxy() {
	: >"$F/proxy.log"
	$K proxy --port=0 >"$F/proxy.log" 2>&1 &
	_pid=$!
	_tries=0
	until _port=$(sed -n 's/^Starting to serve on 127.0.0.1:\([0-9]*\).*/\1/p' "$F/proxy.log") && [ "$_port" ] || [ $_tries = 100 ]; do
		_tries=$((_tries + 1))
		sleep 0.1
	done
	curl -s -m 5 "http://127.0.0.1:$_port$1" || :
	kill $_pid || :
	wait $_pid 2>/dev/null || :
	echo
}
says '"kind": ?"Pod"' through_proxy "/api/v1/namespaces/$NS/pods/alone"
says '^1$' through_proxy "/api/v1/namespaces/$NS/pods/alone:8000/proxy/ping"
watched() { # what get -w tells of a pod that comes and goes
	timeout 20 $K get pods -w --no-headers >"$F/watch.log" 2>&1 &
	_pid=$!
	$K run passing --image=registry.local/web:1 >/dev/null
	$K wait --for=condition=Ready pod/passing --timeout=20s >/dev/null
	$K delete pod passing --grace-period=1 >/dev/null
	kill $_pid || :
	wait $_pid 2>/dev/null || :
	cat "$F/watch.log"
}
says '^passing +1/1 +Running' watched
says 'condition met|deleted' sh -c "$K delete pod alone --grace-period=1 --wait=false >/dev/null; $K wait --for=delete pod/alone --timeout=40s"
