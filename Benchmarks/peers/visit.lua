-- A visit as nginx's Lua module counts it: INCR over a pool of connections to Redis.
-- The word in @…@ is filled in by bench/peers.py.
local redis = require "nginx.redis"

local connection = redis:new()
connection:set_timeout(5000)
local hits
if connection:connect("127.0.0.1", @redis_port@) then
  hits = connection:incr("hits")
end
if not hits then
  return ngx.exit(503)
end
connection:set_keepalive(60000, 1024)

local text = "Hello World! I have been seen " .. hits .. " times.\n"
ngx.header.content_length = #text
ngx.print(text)
