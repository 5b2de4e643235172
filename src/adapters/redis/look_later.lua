-- When to look at a tenant next; '' where nothing of it is under way: unless it has been heard of since.
-- KEYS: the tenants. ARGV: tenant, when it was looked at in ms, when to look next.
local due = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not due or tonumber(due) > tonumber(ARGV[2]) then
  return 0
end
if ARGV[3] == '' then
  return redis.call('ZREM', KEYS[1], ARGV[1])
end
return redis.call('ZADD', KEYS[1], ARGV[3], ARGV[1])
