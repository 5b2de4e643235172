-- domain/cost_ledger.py, in a hash: `began`, `ends` ('' for never), `spent`, `reserved`.
local A_DAY_MS = 24 * 3600 * 1000
-- How long a limit is taken to be known that nobody asks for.
local KNOWN_S = 62 * 24 * 3600
-- One that never begins anew, and that nobody asks for: longer than its limit is taken to be known.
local KEPT_MS_FOR_GOOD = 93 * A_DAY_MS

-- `began_us` and `ends_us` are the period that the caller takes to be now's: nil where it is not,
-- and is wanted. For whoever settles without a period, what is there stays.
local function read_ledger(key, began_us, ends_us, now_us)
  local seen = redis.call('HMGET', key, 'began', 'ends', 'spent', 'reserved')
  local ledger = {
    key = key,
    began = tonumber(seen[1]),
    ends = tonumber(seen[2]),
    spent = seen[3] or '0',
    reserved = seen[4] or '0',
  }
  if ledger.began and (not ledger.ends or now_us < ledger.ends) then
    return ledger
  end
  if not began_us or now_us < began_us or (ends_us and now_us >= ends_us) then
    return nil, ledger
  end
  if ledger.began and began_us < ledger.began then
    return ledger
  end
  return { key = key, began = began_us, ends = ends_us, spent = '0', reserved = '0', is_new = true }
end

local function settle_ledger(ledger, place, reserved, actual)
  if ledger.began == place then
    ledger.spent = plus(ledger.spent, actual)
    ledger.reserved = minus(ledger.reserved, reserved)
  end
end

local function write_ledger(ledger, now_us)
  if not ledger.ends and ledger.spent == '0' and ledger.reserved == '0' then
    redis.call('DEL', ledger.key)
    return
  end
  local ends = ledger.ends and text(ledger.ends) or ''
  redis.call('HSET', ledger.key, 'began', text(ledger.began), 'ends', ends,
    'spent', ledger.spent, 'reserved', ledger.reserved)
  if not ledger.ends then
    redis.call('PEXPIRE', ledger.key, text(KEPT_MS_FOR_GOOD))
  elseif ledger.is_new then
    redis.call('PEXPIRE', ledger.key, text(math.ceil((ledger.ends - now_us) / 1000) + A_DAY_MS))
  end
end
