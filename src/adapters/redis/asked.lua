-- A call's counters, as admit.lua and count.lua are told of them.
-- KEYS: the call, the tenant's leases, what the keys of limits whose past is known begin with, then
-- each counter.
-- ARGV: mode, now ('' is the server's), the call's id, its lease in ms, its ask as JSON, `1` where
-- limits have a past, then for each counter: limit, slot ('-' for a period), began, ends, limit,
-- amount, `1` for soft, and the rest of its claim.
local EACH, FIRST_KEY, FIRST_ARG = 8, 3, 6
local LIMIT_NAME, SLOT, BEGAN, ENDS, LIMIT, AMOUNT, SOFT, CLAIM = 1, 2, 3, 4, 5, 6, 7, 8

local function arg(index, name)
  return ARGV[FIRST_ARG + (index - 1) * EACH + name]
end

-- nil, and an answer, where the caller has to ask otherwise.
local function read_counters(now_us)
  local counters, unknown = {}, {}
  for index = 1, #KEYS - FIRST_KEY do
    local key, slot = KEYS[FIRST_KEY + index], arg(index, SLOT)
    local counter
    if slot ~= '-' then
      counter = read_window(key, tonumber(slot), now_us)
      counter.is_new = not counter.newest and not counter.is_emptied
    else
      counter = read_ledger(key, tonumber(arg(index, BEGAN)), tonumber(arg(index, ENDS)), now_us)
      if not counter then
        return nil, { 'clock ' .. text(now_us) }
      end
    end
    if counter.is_new and ARGV[6] == '1' then
      if redis.call('EXISTS', KEYS[3] .. arg(index, LIMIT_NAME)) == 0 then
        unknown[#unknown + 1] = index - 1
      end
    end
    counters[index] = counter
  end
  if #unknown > 0 then
    return nil, { table.concat({ 'unknown', text(now_us), unpack(unknown) }, ' ') }
  end
  return counters
end

local function claim_line(index, counter)
  local place = counter.number or counter.began
  return table.concat({ arg(index, SLOT), arg(index, AMOUNT), text(place), arg(index, CLAIM) }, ' ')
end

local function take(index, counter, now_us)
  local amount = arg(index, AMOUNT)
  if counter.slot_us then
    put_in_window(counter, amount)
    write_window(counter)
  else
    counter.reserved = plus(counter.reserved, amount)
    write_ledger(counter, now_us)
  end
  -- As long as it counts: corrections are counted only where the limit is known.
  if counter.is_moved or counter.is_new or not (counter.slot_us or counter.ends) then
    redis.call('EXPIRE', KEYS[3] .. arg(index, LIMIT_NAME), KNOWN_S)
  end
end
