-- domain/admission.py's `decide`, in one step on the server. See asked.lua for KEYS and ARGV; the mode
-- is admit, again, or foresee. Answers with a line: what it came to, now, and for each counter: place,
-- used, whether it fits, when it would, when all is free; or the indices of limits that are not
-- known. Behind it come calls that were found, whose lease has run out.
local LEASES_AT_ONCE = 5
local mode, now_us, id, lease_ms = ARGV[1], now_in(ARGV[2]), ARGV[3], tonumber(ARGV[4])

-- Asked twice, since no answer came: what the first one took is given back.
if mode == 'again' then
  close(KEYS[1], KEYS[2], id, NOTHING, {}, now_us)
end

local counters, otherwise = read_counters(now_us)
if not counters then
  return otherwise
end

local function used(counter)
  return counter.total or plus(counter.spent, counter.reserved)
end

local fits, refused = {}, false
for index, counter in ipairs(counters) do
  fits[index] = not is_above(plus(used(counter), arg(index, AMOUNT)), arg(index, LIMIT))
  refused = refused or not fits[index] and arg(index, SOFT) ~= '1'
end

if mode ~= 'foresee' and not refused then
  local lines = { ARGV[5] }
  for index, counter in ipairs(counters) do
    lines[#lines + 1] = claim_line(index, counter)
  end
  local is_held = redis.call(
    'SET', KEYS[1], table.concat(lines, '\n'), 'NX', 'PX', kept_ms(lease_ms, now_us))
  if not is_held then
    return { 'void ' .. text(now_us) }
  end
  redis.call('ZADD', KEYS[2], text(lease_ms), id)
  for index, counter in ipairs(counters) do
    take(index, counter, now_us)
  end
end

local line = { refused and 'refused' or 'admitted', text(now_us) }
for index, counter in ipairs(counters) do
  local fits_us, free_us = 0, -1
  if counter.slot_us then
    if refused and not fits[index] then
      fits_us = window_fits_us(counter, arg(index, LIMIT), arg(index, AMOUNT))
    end
    free_us = window_free_us(counter)
  elseif counter.ends then
    free_us = counter.ends
  end
  local last = #line
  line[last + 1] = text(counter.number or counter.began)
  line[last + 2] = used(counter)
  line[last + 3] = fits[index] and '1' or '0'
  line[last + 4] = text(fits_us)
  line[last + 5] = text(free_us)
end

local answer = { table.concat(line, ' ') }
local ids = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', text(math.floor(now_us / 1000)),
  'LIMIT', 0, LEASES_AT_ONCE)
for _, lost in ipairs(ids) do
  answer[#answer + 1] = redis.call('GET', tenant_of(KEYS[1]) .. 'call:' .. lost) or nil
end
return answer
