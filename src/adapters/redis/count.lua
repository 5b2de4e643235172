-- A call that was admitted without the server, while it was away: it holds it from now on, whatever
-- its limits say. See asked.lua for KEYS and ARGV. What it holds already it does not hold twice.
local now_us, id, lease_ms = now_in(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local done = { 'admitted ' .. text(now_us) }

local held = redis.call('GET', KEYS[1])
if held and over_with(held) then
  return done
end
local counters, otherwise = read_counters(now_us)
if not counters then
  return otherwise
end
if not held or held == VOID then
  held = ARGV[5]
end
for index, counter in ipairs(counters) do
  if not holds(held, string.match(arg(index, CLAIM), '^%S+')) then
    held = held .. '\n' .. claim_line(index, counter)
    take(index, counter, now_us)
  end
end
redis.call('SET', KEYS[1], held, 'PX', kept_ms(lease_ms, now_us))
redis.call('ZADD', KEYS[2], text(lease_ms), id)
return done
