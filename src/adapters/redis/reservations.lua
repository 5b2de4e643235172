-- A call under way is a text: its ask, as JSON, then a line for each claim: slot (`-` for a period),
-- amount, place, counter, measure, name. `void` is one that was given up before it was there, and
-- `over` one that was settled while it was not there, with what it used.
local VOID = 'void'
local VOID_MS = 600 * 1000
local OVER = '^over (%d+) (%d+) (%d+) (%d+)$'
local KEPT_AFTER_LEASE_MS = 31 * 24 * 3600 * 1000

local function kept_ms(lease_ms, now_us)
  return text(math.max(0, lease_ms - math.floor(now_us / 1000)) + KEPT_AFTER_LEASE_MS)
end

-- What a call used that was settled while it was not there; nil for any other.
local function over_with(held)
  local requests, tokens, money, parallel = string.match(held, OVER)
  if requests then
    return { requests = requests, tokens = tokens, money = money, parallel = parallel }
  end
end

local function now_in(given)
  if given ~= '' then
    return tonumber(given)
  end
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1e6 + tonumber(time[2])
end

-- What all keys of one tenant begin with, so that all of them lie in one slot of a cluster.
local function tenant_of(key)
  return string.match(key, '^.-}:')
end

-- A caller's own words stand in it, too: only where a line has the counter, it is one.
local function holds(text_of_it, counter)
  for held in string.gmatch(text_of_it, '\n%S+ %S+ %S+ (%S+)') do
    if held == counter then
      return true
    end
  end
  return false
end

-- `actual` is by measure; `periods` are now's, began and ends, for each claim: '' where not known.
local function settle_claims(text_of_it, tenant, actual, periods, now_us)
  local number = 0
  for slot, amount, place, counter, measure in
    string.gmatch(text_of_it, '\n(%S+) (%S+) (%S+) (%S+) (%S+)')
  do
    local key = tenant .. counter
    if slot ~= '-' then
      local window = read_window(key, tonumber(slot), now_us)
      settle_window(window, tonumber(place), amount, actual[measure])
      write_window(window)
    else
      local began, ends = periods[2 * number + 1], periods[2 * number + 2]
      local ledger, as_it_was = read_ledger(key, tonumber(began), tonumber(ends), now_us)
      ledger = ledger or as_it_was
      if ledger.began then
        settle_ledger(ledger, tonumber(place), amount, actual[measure])
        write_ledger(ledger, now_us)
      end
    end
    number = number + 1
  end
end

-- Exactly once: false where it is not open.
local function close(key, leases, id, actual, periods, now_us)
  local held = redis.call('GET', key)
  if not held or held == VOID or over_with(held) then
    return false
  end
  redis.call('DEL', key)
  redis.call('ZREM', leases, id)
  settle_claims(held, tenant_of(key), actual, periods, now_us)
  return true
end

local NOTHING = { requests = '0', tokens = '0', money = '0', parallel = '0' }
