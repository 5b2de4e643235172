-- domain/rate_window.py, in a hash: `total`, `oldest`, `first`, `newest`, and each slot's amount under
-- its number. `first` may be lower than the lowest slot there is. Nothing is written before `write_window`.
local SLOTS = 250
local AT_ONCE = 32
local KEPT_MS = 3600 * 1000

local function read_window(key, slot_us, now_us)
  local by_clock = math.floor(now_us / slot_us)
  local seen = redis.call('HMGET', key, 'total', 'oldest', 'first', 'newest', text(by_clock))
  local window = {
    key = key,
    slot_us = slot_us,
    total = seen[1] or '0',
    oldest = tonumber(seen[2]) or 0,
    first = tonumber(seen[3]),
    newest = tonumber(seen[4]),
    known = { [by_clock] = seen[5] or '0' },
    gone = {},
    changed = {},
  }
  -- A clock that steps back forgives nothing.
  window.number = math.max(by_clock, window.oldest, window.newest or 0)
  local oldest = window.number - SLOTS
  if not window.newest then
    -- Where there is no hash, none is made: it would seem to have been told what was before.
    if seen[1] and window.oldest < oldest then
      window.is_emptied, window.oldest = true, oldest
    end
    return window
  end
  if window.first >= oldest then
    return window
  end
  if window.newest < oldest then
    window.is_emptied = true
    window.total, window.oldest, window.first, window.newest = '0', oldest, nil, nil
    return window
  end
  local fields = {}
  for number = window.first, oldest - 1 do
    fields[#fields + 1] = text(number)
  end
  for index, amount in ipairs(redis.call('HMGET', key, unpack(fields))) do
    if amount then
      window.gone[#window.gone + 1] = fields[index]
      window.total = minus(window.total, amount)
      window.oldest = oldest
    end
  end
  window.first = oldest
  return window
end

local function amount_in(window, number)
  local amount = window.known[number]
  if not amount then
    amount = redis.call('HGET', window.key, text(number)) or '0'
    window.known[number] = amount
  end
  return amount
end

local function change(window, number, amount)
  window.known[number], window.changed[number] = amount, amount
end

local function put_in_window(window, amount)
  local number = window.number
  local held = window.newest == number and amount_in(window, number) or '0'
  change(window, number, plus(held, amount))
  window.is_moved = window.newest ~= number
  window.total = plus(window.total, amount)
  window.first = window.first or number
  window.newest = number
end

local function settle_window(window, place, reserved, actual)
  if is_above(actual, reserved) then
    put_in_window(window, minus(actual, reserved))
  elseif is_above(reserved, actual) and window.newest and place >= window.first then
    local held = redis.call('HGET', window.key, text(place))
    if held then
      local rest = minus(reserved, actual)
      change(window, place, minus(held, rest))
      window.total = minus(window.total, rest)
    end
  end
end

local function write_window(window)
  if not window.newest and not window.is_emptied then
    -- There is nothing in it: a hash of that would stay for ever.
    return
  end
  if window.is_emptied then
    redis.call('DEL', window.key)
  elseif #window.gone > 0 then
    redis.call('HDEL', window.key, unpack(window.gone))
  end
  local fields = { 'total', window.total, 'oldest', text(window.oldest) }
  if window.newest then
    fields[5], fields[6], fields[7], fields[8] =
      'first', text(window.first), 'newest', text(window.newest)
  end
  for number, amount in pairs(window.changed) do
    fields[#fields + 1] = text(number)
    fields[#fields + 1] = amount
  end
  redis.call('HSET', window.key, unpack(fields))
  if window.is_moved or window.is_emptied then
    local length_ms = window.slot_us * SLOTS / 1000
    redis.call('PEXPIRE', window.key, text(2 * length_ms + KEPT_MS))
  end
end

-- The amount in the first slot, from one to another, that `is_it` is told and says yes to.
local function find_slot(window, from, to, step, is_it)
  while (to - from) * step >= 0 do
    local fields, last = {}, from + (AT_ONCE - 1) * step
    if (to - last) * step < 0 then
      last = to
    end
    for number = from, last, step do
      fields[#fields + 1] = text(number)
    end
    for index, amount in ipairs(redis.call('HMGET', window.key, unpack(fields))) do
      if amount and is_it(amount) then
        return from + (index - 1) * step
      end
    end
    from = last + step
  end
end

-- When that slot has slid out, in microseconds; 0 for none.
local function gone_us(window, number)
  return number and (number + SLOTS + 1) * window.slot_us or 0
end

-- When as much would fit; -1 for what never does. It does not now.
local function window_fits_us(window, limit, amount)
  if is_above(amount, limit) then
    return -1
  end
  local needed, freed = minus(plus(window.total, amount), limit), '0'
  return gone_us(window, find_slot(window, window.first, window.newest, 1, function(held)
    freed = plus(freed, held)
    return not is_above(needed, freed)
  end))
end

-- When nothing is left in it. To be asked for before it changes, or after it was written.
local function window_free_us(window)
  local newest = window.newest
  if not newest then
    return 0
  end
  if amount_in(window, newest) ~= '0' then
    return gone_us(window, newest)
  end
  return gone_us(window, find_slot(window, newest - 1, window.first, -1, function(held)
    return held ~= '0'
  end))
end
