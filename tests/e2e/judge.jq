# Judges the cases in behaviour/ by what was recorded so far. Arguments: $cases [{name: case}], $recorded [{type, object}] of all
# namespaces, $node. A case's namespace is `b-` and its name. Gives for each case {name, done, wrong, acts}: all that is expected
# was seen; the first thing seen that is not expected; how many acts are due.
#
# Of each pod and deployment the sequence of different states is compared, of each reporter of events the sequence of different
# events. Every state seen must be the next one expected, where those that begin with `?` may be missing: a watch may see two
# changes as one. `*` stands for any text. What happens after the last expected state is not looked at.
include "condense";

def pattern: "^" + (gsub("(?<c>[][(){}.+?^$|\\\\/])"; "\\\(.c)") | gsub("\\*"; ".*")) + "$";
def like($expected): . as $line | $expected | ltrimstr("?") | . as $plain
	| if index("*") then pattern as $re | $line | test($re; "s") else $line == $plain end;

# [states] walked along [expected]: {at: how many expected are done with, wrong: the state that was not expected}
def walk_along($expected): reduce .[] as $line ({at: 0, wrong: null};
	if .wrong or .at >= ($expected | length) then .
	else .at as $at
		| ([range($at; $expected | length) | select(. as $i | all(range($at; $i); $expected[.] | startswith("?")))]) as $reach
		| first(($reach[] | select(. as $i | $line | like($expected[$i]))), null) as $hit
		| if $hit == null then .wrong = $line else .at = $hit + 1 end
	end);

def different($events): if $events then reduce .[] as $l ([]; if index([$l]) then . else . + [$l] end)
	else reduce .[] as $l ([]; if last == $l or $l == "" then . else . + [$l] end) end;

$cases[0] | to_entries[] | .key as $name | .value as $case | "b-\($name)" as $namespace
| ([$recorded[] | select(.object.metadata.namespace == $namespace) | condensed($namespace; $node)] | group_by(.about)
	| map({key: .[0].about, value: (.[0].about as $about | map(.line) | different($about | startswith("events")))}) | from_entries) as $seen
| ($case.expect | to_entries | map(.key as $about | .value as $expected
	| {about: $about} + ($seen[$about] // [] | walk_along($expected))
	| .done = (.at as $at | all($expected[$at:][]; startswith("?")))
	| .next = $expected[.at])) as $walks
| {name: $name,
   done: all($walks[]; .done),
   wrong: first(($walks[] | select(.wrong) | "\(.about):\n  got      \(.wrong)\n  expected \(.next)"), null),
   missing: [$walks[] | select(.done | not) | "\(.about): \(.next)"],
   acts: ([$case.acts[] | .when as $when | $when == null or ([$seen[$when[0]] // [] | .[] | select(like($when[1]))] | length >= ($when[2] // 1))] | index(false) // length)}
