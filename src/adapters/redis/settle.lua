-- KEYS: the call, the tenant's leases, then its counters.
-- ARGV: mode (settle, undo), now ('' is the server's), the call's id, what it used by measure:
-- requests, tokens, money, parallel; then now's period, began and ends, for each claim.
-- Answers 1 where the call was open, and 0, without any change, where it was not.
local FIRST_PERIOD = 8
local actual = { requests = ARGV[4], tokens = ARGV[5], money = ARGV[6], parallel = ARGV[7] }
local periods = {}
for index = FIRST_PERIOD, #ARGV do
  periods[#periods + 1] = ARGV[index]
end
if close(KEYS[1], KEYS[2], ARGV[3], actual, periods, now_in(ARGV[2])) then
  return 1
end
-- An admission that was given up may still be on its way: it must not come true. And what is settled
-- here may be on its way out of the ledger, as a call under way: see seed.lua.
local told = ARGV[1] == 'undo' and VOID
  or table.concat({ 'over', ARGV[4], ARGV[5], ARGV[6], ARGV[7] }, ' ')
redis.call('SET', KEYS[1], told, 'NX', 'PX', VOID_MS)
return 0
