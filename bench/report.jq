# Figures as a table: Markdown, or ($form text) fields between tabs. A figure has as many digits as mean something.
def digits: (if fabs >= 100 then round elif fabs >= 10 then . * 10 | round / 10 else . * 100 | round / 100 end)
	| (if . == 0 then 0 else . end | tostring) # no minus before a zero
	| [match("^(-?)([0-9]+)(.*)$").captures[].string] as [$sign, $whole, $rest]
	| $sign + ($whole | explode | reverse | [range(0; length; 3) as $i | .[$i:$i + 3] | reverse | implode] | reverse | join(",")) + $rest;
def with($unit): . + (if $unit == "1/s" then "/s" elif $unit == "" then "" else " " + $unit end);
def figure: if .median == null then "not measured" else (.unit as $u | .median | digits | with($u)) end;
def spread: if .runs > 1 then " (\(.least | digits) to \(.most | digits), \(.runs) runs)" elif .runs == 1 then " (1 run)" else "" end;
def budget($most; $least): if .sense == "none" then "" else (if .sense == "max" then $most else $least end) + " " + (.unit as $u | .budget | digits | with($u)) end;
def client: if .client_cpu_percent == null then "" else "\(.client_cpu_percent | round) %" end;
def ratio: if .floor_ratio == null then "" else "\(.floor_ratio * 100 | round / 100) × `\(.floor)`" end;

if $ARGS.named.form == "text" then
	.rows[] | select(.group == $ARGS.named.group)
	| [.what, figure, budget("<="; ">="), .verdict // "", (spread | ltrimstr(" "))
		+ (if .client_cpu_percent then ", client \(client)" else "" end) + (if .floor_ratio then ", \(ratio)" else "" end)] | @tsv
else
	"Measured \(.date[:10]) at commit \(.commit): \(.cores) cores (\(.cpu)), Linux \(.kernel). The client's share is of one core.",
	"",
	"| row | what | median (least to most) | budget | | of its floor | client |",
	"|---|---|---|---|---|---|---|",
	(.rows[] | "| `\(.name)` | \(.what) | \(figure)\(spread) | \(budget("≤"; "≥")) | \(if .verdict == "missed" then "**missed**" else .verdict // "" end) | \(ratio) | \(client) |")
end
