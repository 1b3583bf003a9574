-- ConfigMaps of 1 KiB under names that are never used twice.
local prefix = string.format("b%d", os.time())
local filler = string.rep("x", 800)
local n = 0
math.randomseed(os.time())
prefix = prefix .. math.random(1000000)
request = function()
	n = n + 1
	return wrk.format("POST", "/api/v1/namespaces/default/configmaps", { ["Content-Type"] = "application/json",
		["Authorization"] = wrk.headers["Authorization"] }, '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"' ..
		prefix .. "-" .. n .. '","labels":{"app":"bench"}},"data":{"key":"' .. filler .. '"}}')
end
