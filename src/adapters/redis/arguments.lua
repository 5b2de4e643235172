-- Many short words cost the client more than one long one: they come as a list in JSON.
local ARGV = cjson.decode(ARGV[1])
