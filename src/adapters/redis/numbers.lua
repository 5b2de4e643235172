-- Whole numbers of any size, as decimal text without zeros in front: a number of Lua's is a double,
-- exact to 2^53 only, and a budget of $10,000 is 10^16 pico-dollars.
local DIGITS, LIMB = 15, 1e15

-- For one below 2^53: slots, and times in microseconds.
local function text(number)
  return string.format('%.0f', number)
end

-- The lowest comes first.
local function limbs(digits)
  local found = {}
  for last = #digits, 1, -DIGITS do
    found[#found + 1] = tonumber(string.sub(digits, math.max(1, last - DIGITS + 1), last))
  end
  return found
end

local function joined(found)
  local top = #found
  while top > 1 and found[top] == 0 do
    top = top - 1
  end
  local parts = { text(found[top]) }
  for index = top - 1, 1, -1 do
    parts[#parts + 1] = string.format('%015.0f', found[index])
  end
  return table.concat(parts)
end

local function are_short(a, b)
  return #a <= DIGITS and #b <= DIGITS
end

local function plus(a, b)
  if are_short(a, b) then
    return text(tonumber(a) + tonumber(b))
  end
  local left, right, sum, carry = limbs(a), limbs(b), {}, 0
  for index = 1, math.max(#left, #right) do
    local limb = (left[index] or 0) + (right[index] or 0) + carry
    carry = limb >= LIMB and 1 or 0
    sum[index] = limb - carry * LIMB
  end
  if carry > 0 then
    sum[#sum + 1] = carry
  end
  return joined(sum)
end

local function is_above(a, b)
  if are_short(a, b) then
    return tonumber(a) > tonumber(b)
  end
  if #a ~= #b then
    return #a > #b
  end
  local left, right = limbs(a), limbs(b)
  for index = #left, 1, -1 do
    if left[index] ~= right[index] then
      return left[index] > right[index]
    end
  end
  return false
end

-- 0 where b is larger: no counter is ever below it.
local function minus(a, b)
  if not is_above(a, b) then
    return '0'
  end
  if are_short(a, b) then
    return text(tonumber(a) - tonumber(b))
  end
  local left, right, rest, borrowed = limbs(a), limbs(b), {}, 0
  for index = 1, #left do
    local limb = left[index] - (right[index] or 0) - borrowed
    borrowed = limb < 0 and 1 or 0
    rest[index] = limb + borrowed * LIMB
  end
  return joined(rest)
end
