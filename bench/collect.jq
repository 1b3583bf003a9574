# The rows and samples of a run (tab-separated texts) as the JSON that bench/report and bench/compare read. A row that was asked for
# and has no sample could not be measured: its median is null.
def lines: split("\n") | map(select(. != "") | split("\t"));
def median: sort | if length == 0 then null elif length % 2 == 1 then .[length / 2 | floor] else (.[length / 2 - 1] + .[length / 2]) / 2 end;
def number: if . == "" or . == "-" or . == null then null else tonumber end;

($samples | lines) as $all
| ($wanted | split("\n")) as $asked
| def values($name; $column): [$all[] | select(.[0] == $name) | .[$column] | number | select(. != null)];
  $machine[0] + {
	rows: [
		$rows | lines[] | . as [$group, $name, $what, $unit, $sense, $budget, $floor]
		| select($asked | index($name))
		| values($name; 1) as $v
		| (values($floor; 1) | median) as $floor_median
		| ($v | median) as $median
		| ($budget | number) as $limit
		| {
			group: $group, name: $name, what: $what, unit: $unit, sense: $sense, budget: $limit,
			median: $median, least: ($v | min), most: ($v | max), runs: ($v | length),
			client_cpu_percent: (values($name; 2) | median),
			floor: (if $floor == "" then null else $floor end),
			floor_ratio: (if $floor_median and $median then $median / $floor_median else null end),
			verdict: (if $sense == "none" then null elif $median == null then "not measured"
				elif ($sense == "max" and $median <= $limit) or ($sense == "min" and $median >= $limit) then "met" else "missed" end)
		}
	]
}
