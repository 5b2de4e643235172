-- What corrections of calls change in the counters of one limit; once, whoever tells it how often.
-- KEYS: the limit, if it is known; the tenant's last correction; then its counters.
-- ARGV: now ('' is the server's), the last correction that it counts ('' where it is not known), the
-- last one of these, then for each its counter, slot ('-' for a period), began, ends, place, `1` where
-- it takes more, amount.
-- Answers with the last correction that the limit counts: where that is another one than was told,
-- nothing was done.
-- Longer than anybody takes who reads the ledger for a seed.
local KEPT_S = 600
local FIRST_KEY, FIRST_ARG, EACH = 2, 3, 7
local now_us, expected, last = now_in(ARGV[1]), ARGV[2], ARGV[3]

if tonumber(redis.call('GET', KEYS[2]) or '0') < tonumber(last) then
  redis.call('SET', KEYS[2], last, 'EX', KEPT_S)
end
local present = redis.call('GET', KEYS[1]) or ''
if present ~= expected or present == '' then
  return present
end

for at = FIRST_ARG + 1, #ARGV, EACH do
  local counter, slot, began, ends, place, is_more, amount = unpack(ARGV, at, at + EACH - 1)
  local key = KEYS[FIRST_KEY + tonumber(counter)]
  if slot ~= '-' then
    local window = read_window(key, tonumber(slot), now_us)
    if is_more == '1' then
      settle_window(window, tonumber(place), '0', amount)
    else
      settle_window(window, tonumber(place), amount, '0')
    end
    write_window(window)
  else
    local ledger, as_it_was = read_ledger(key, tonumber(began), tonumber(ends), now_us)
    ledger = ledger or as_it_was
    if ledger.began == tonumber(place) then
      ledger.spent = is_more == '1' and plus(ledger.spent, amount) or minus(ledger.spent, amount)
      write_ledger(ledger, now_us)
    end
  end
end
redis.call('SET', KEYS[1], last, 'KEEPTTL')
return last
