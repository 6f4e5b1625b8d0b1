-- What an upload is instead of pending, or nil when it takes parts.
local function upload_closed(upload, now)
  local r = redis.call('HMGET', upload, 'status', 'expires')
  if not r[1] then return 'gone' end
  if r[1] ~= 'pending' then return r[1] end
  if tonumber(r[2]) <= tonumber(now) then return 'expired' end
end
