-- Calls of a tenant whose lease has run out, and when the next one's does: '' for none.
-- KEYS: the tenant's leases. ARGV: now in ms, how many at most.
local ids = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])
local found = {}
for _, id in ipairs(ids) do
  local held = redis.call('GET', tenant_of(KEYS[1]) .. 'call:' .. id)
  if held then
    found[#found + 1] = held
  else
    redis.call('ZREM', KEYS[1], id)
  end
end
local first = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
return { first[2] or '', found }
