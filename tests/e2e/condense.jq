# One line for each state that a pod or a deployment went through, and for each event: what the cases in behaviour/ compare.
# Needs $namespace and $node; takes what a watch gave, {type, object}; gives {about, line}.

# A text without what differs from run to run: generated names, addresses, uids.
def stable($namespace; $node):
	gsub($namespace; "NAMESPACE") | gsub("to " + $node + "$"; "to NODE")
	| gsub("web-[0-9a-z]{5,10}-[a-z0-9]{5}\\b"; "web-HASH-POD")
	| gsub("web-[0-9a-z]{5,10}\\b"; "web-HASH")
	| gsub("\\b[0-9]+\\.[0-9]+\\.[0-9]+\\.[0-9]+\\b"; "IP")
	| gsub("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|<uid>"; "UID");

def reasoned($reason; $message):
	if $reason then "(" + $reason + (if $message then ": " + $message else "" end) + ")" else "" end;
def condition: ({"True": "+", "False": "-"}[.status] // "~") + .type + reasoned(.reason; .message);
def rank: .type as $type | ["PodScheduled", "PodReadyToStartContainers", "Initialized", "ContainersReady", "Ready"] | index($type) // 9;
def conditions: [.conditions // [] | sort_by(rank, .type) | .[] | condition] | join(" ");

def container_state: to_entries | map(
	if .key == "running" then "running"
	elif .key == "terminated" then "exited \(.value.exitCode)" + reasoned(.value.reason; .value.message)
	else .key + reasoned(.value.reason; .value.message) end) | join(",");
def container: .name + ": " + (.state // {} | container_state)
	+ (if (.lastState // {}) == {} then "" else ", last " + (.lastState | container_state) end)
	+ (if .started == true then ", started" else "" end)
	+ (if .ready then ", ready" else "" end)
	+ (if .restartCount > 0 then ", restarts \(.restartCount)" else "" end);

def pod: .metadata.deletionTimestamp as $deleted | .status
	| [.phase + reasoned(.reason; .message) + (if $deleted then " deleting" else "" end), conditions]
	+ [(.initContainerStatuses // [], .containerStatuses // []) | .[] | container]
	| map(select(. != "")) | join(" | ");

def condensed($namespace; $node): .type as $change | .object | .kind as $kind
	| if $kind == "Event" then
		{about: "events of \(.source.component // .reportingComponent) about \(.involvedObject.kind)", line: "\(.type) \(.reason) \(.message)"}
	elif $kind == "Pod" or $kind == "Deployment" then
		{about: "\($kind) \(.metadata.name)",
		 line: (if $change == "DELETED" then "gone" elif $kind == "Pod" then pod else .status | conditions end)}
	else empty end
	| .line |= stable($namespace; $node) | .about |= stable($namespace; $node);
