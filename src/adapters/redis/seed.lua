-- What a limit has counted before this server knew of it: a part of its counters, and the claims of
-- calls that are under way. Whatever is there already stays as it is.
-- KEYS: the limit, if it is known; the tenant's leases; its last correction; then the counters.
-- ARGV: now ('' is the server's), the last correction that is counted, `1` for the last part, how many
-- counters, then for each its time to live in ms, how many words follow, and those: fields and values;
-- then for each claim its counter, the call's id, its lease in ms, its ask, its line.
-- Answers -1, and does nothing, where a call was corrected meanwhile: it has to be read again.
local FIRST_KEY, COUNTERS_FROM, CLAIM = 3, 5, 5
local now_us, position = now_in(ARGV[1]), ARGV[2]

if redis.call('EXISTS', KEYS[1]) == 1 then
  return 0
end
if tonumber(redis.call('GET', KEYS[3]) or '0') > tonumber(position) then
  return -1
end

local at, is_seeded = COUNTERS_FROM, {}
for index = 1, tonumber(ARGV[4]) do
  local key, ttl, words = KEYS[FIRST_KEY + index], ARGV[at], tonumber(ARGV[at + 1])
  if redis.call('EXISTS', key) == 0 then
    redis.call('HSET', key, unpack(ARGV, at + 2, at + 1 + words))
    is_seeded[index] = true
  end
  if redis.call('PTTL', key) < tonumber(ttl) then
    redis.call('PEXPIRE', key, ttl)
  end
  at = at + 2 + words
end

while at <= #ARGV do
  local index, id, lease_ms, ask, line = unpack(ARGV, at, at + CLAIM - 1)
  if is_seeded[tonumber(index)] then
    local key = tenant_of(KEYS[1]) .. 'call:' .. id
    local held = redis.call('GET', key)
    local actual = held and over_with(held)
    if actual then
      -- Its settlement was faster than its seed.
      settle_claims('\n' .. line, tenant_of(KEYS[1]), actual, {}, now_us)
    elseif held ~= VOID then
      redis.call('SET', key, (held or ask) .. '\n' .. line, 'PX', kept_ms(lease_ms, now_us))
      redis.call('ZADD', KEYS[2], lease_ms, id)
    end
  end
  at = at + CLAIM
end

if ARGV[3] == '1' then
  redis.call('SET', KEYS[1], position, 'EX', KNOWN_S)
end
return 1
